//! What a payload must satisfy beyond its fields.

use ebb_core::{Code, Failure};
use regex::Regex;

use crate::{
    manifest::Rule,
    template::{Names, Node, Scope, is_truthy, text_of},
};

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    any: Vec<Node>,
    all: Vec<Node>,
    pattern: Option<(Node, Regex)>,
    message: String,
}

impl CompiledRule {
    /// Compiles a rule. The error is one sentence.
    pub(crate) fn compile(rule: &Rule, names: &Names) -> Result<Self, String> {
        let leaves = |leaves: &[String]| {
            leaves.iter().map(|leaf| Node::leaf(leaf, names)).collect::<Result<Vec<_>, _>>()
        };
        let pattern = match (&rule.value, &rule.pattern) {
            (Some(value), Some(pattern)) => {
                let regex = Regex::new(pattern)
                    .map_err(|error| format!("`{pattern}` is not a pattern: {error}"))?;
                Some((Node::leaf(value, names)?, regex))
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(
                    "a rule with `value` needs `pattern`, and the other way round".to_owned()
                );
            }
        };
        let message = rule.message.clone();
        Ok(Self { any: leaves(&rule.any)?, all: leaves(&rule.all)?, pattern, message })
    }

    /// Whether the payload satisfies the rule; if not, the record is rejected.
    pub(crate) fn judge(&self, scope: Scope<'_>) -> Result<(), Failure> {
        let holds = |node: &Node| is_truthy(node.evaluate(scope).as_ref());
        let fits = (self.any.is_empty() || self.any.iter().any(holds))
            && self.all.iter().all(holds)
            && self.pattern.as_ref().is_none_or(|(node, regex)| {
                node.evaluate(scope).is_some_and(|value| regex.is_match(&text_of(&value)))
            });
        if fits { Ok(()) } else { Err(Failure::new(Code::PayloadInvalid, self.message.clone())) }
    }
}
