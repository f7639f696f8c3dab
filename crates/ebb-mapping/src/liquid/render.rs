//! From nodes and values to text.

use std::collections::HashMap;

use ebb_core::{Object, Value};

use super::{
    evaluate::{Variables, is_true, property, to_number},
    filters::stringify,
    syntax::Node,
};
use crate::script::{is_truthy, is_undefined, text_of};

/// What a template knows while it is rendered.
struct Context<'v> {
    root: &'v Value<'v>,
    /// What `assign` and `capture` set.
    assigned: Object<'static>,
    /// What `increment` and `decrement` count.
    counted: Object<'static>,
    /// The next candidate of each cycle.
    cycles: HashMap<(String, usize), usize>,
    stopped: bool,
}

impl Variables for Context<'_> {
    fn variable(&self, name: &Value<'_>) -> Value<'_> {
        let key = text_of(name);
        let own = [&self.assigned, &self.counted].into_iter().find_map(|scope| scope.get(&key));
        match own {
            Some(value) => value.borrowed(),
            None => property(self.root, name),
        }
    }

    fn now(&self) -> Option<String> {
        property(self.root, &"timestamp".into()).as_str().map(str::to_owned)
    }
}

/// Renders nodes over a value.
pub(super) fn render(nodes: &[Node], root: &Value<'_>) -> Result<String, String> {
    let mut context = Context {
        root,
        assigned: Object::new(),
        counted: Object::new(),
        cycles: HashMap::new(),
        stopped: false,
    };
    let mut out = String::new();
    context.nodes(nodes, &mut out)?;
    Ok(out)
}

impl Context<'_> {
    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), String> {
        for node in nodes {
            self.node(node, out)?;
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<(), String> {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Output(value) => stringify(&value.evaluate(self)?, out),
            Node::Nothing => {}
            Node::Assign(name, value) => {
                let value = value.evaluate(self)?.into_owned();
                self.assigned.insert(name.clone(), value);
            }
            Node::Capture(name, nodes) => {
                let mut text = String::new();
                self.nodes(nodes, &mut text)?;
                self.assigned.insert(name.clone(), text.into());
            }
            Node::Branches(branches) => {
                for branch in branches {
                    let taken = match &branch.test {
                        Some((value, wanted)) => is_true(&value.evaluate(self)?) == *wanted,
                        None => true,
                    };
                    if taken {
                        return self.nodes(&branch.nodes, out);
                    }
                }
            }
            Node::Count { name, up } => self.count(name, *up, out),
            Node::Cycle { group, candidates } => {
                let group = match group {
                    Some(group) => text_of(&group.evaluate(self)?.into_value()).into_owned(),
                    None => "undefined".to_owned(),
                };
                let next = self.cycles.entry((group, candidates.len())).or_default();
                let place = *next;
                *next = (place + 1) % candidates.len();
                if let Some(candidate) = candidates.get(place) {
                    let value = candidate.evaluate(self)?.into_value();
                    if is_truthy(&value) {
                        stringify(&value, out);
                    }
                }
            }
            Node::Block(nodes) => self.nodes(nodes, out)?,
            Node::Stop => self.stopped = true,
        }
        Ok(())
    }

    fn count(&mut self, name: &str, up: bool, out: &mut String) {
        let current = match self.counted.get(name) {
            Some(value) => value.clone(),
            None => property(self.root, &name.into()).into_owned(),
        };
        let counts = matches!(current, Value::Number(_)) && !is_undefined(&current);
        let current = if counts { to_number(&current) } else { 0.0 };
        let next = if up { current + 1.0 } else { current - 1.0 };
        let next = super::evaluate::number(next);
        let shown = if up { super::evaluate::number(current) } else { next.clone() };
        stringify(&shown, out);
        self.counted.insert(name.to_owned(), next);
    }
}
