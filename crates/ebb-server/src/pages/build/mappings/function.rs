//! Functions: directives whose options are values of their own.

use serde_json::{Map, Value};

use super::node::{Kind, Node};

/// A directive that the editor shows parameter by parameter.
pub(super) struct Function {
    /// Its name in mappings.
    directive: &'static str,
    /// What it does, for people.
    pub(super) does: &'static str,
    pub(super) parameters: &'static [Parameter],
}

/// An option of a directive.
pub(super) struct Parameter {
    /// Its key in mappings.
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    takes: Takes,
    /// Whether the function does nothing without it.
    pub(super) required: bool,
}

/// What an option can be.
enum Takes {
    /// Any value, of each record.
    Value,
    Text,
    Boolean,
    OneOf(&'static [&'static str]),
}

/// `@if` of a value that is sent itself.
static COALESCE: Function = Function {
    directive: "@if",
    does: "The first, or where that is null the second",
    parameters: &[
        Parameter::required("exists", "First", Takes::Value),
        Parameter::optional("else", "Second", Takes::Value),
    ],
};

static CASE: Function = Function {
    directive: "@case",
    does: "Text in small letters or capitals",
    parameters: &[
        Parameter::required("value", "Of", Takes::Value),
        Parameter::required("operator", "Letters", Takes::OneOf(&["lower", "upper"])),
    ],
};

static REPLACE: Function = Function {
    directive: "@replace",
    does: "Text with some of its letters replaced",
    parameters: &[
        Parameter::required("value", "In", Takes::Value),
        Parameter::required("pattern", "Look for", Takes::Text),
        Parameter::optional("replacement", "Put there", Takes::Text),
        Parameter::optional("global", "Everywhere", Takes::Boolean),
        Parameter::optional("ignorecase", "Small letters and capitals alike", Takes::Boolean),
        Parameter::optional("pattern2", "Look for, too", Takes::Text),
        Parameter::optional("replacement2", "Put there, too", Takes::Text),
    ],
};

static FLATTEN: Function = Function {
    directive: "@flatten",
    does: "Objects within an object become properties of it",
    parameters: &[
        Parameter::required("value", "Of", Takes::Value),
        Parameter::required("separator", "Between the names", Takes::Text),
        Parameter::optional("omitArrays", "Lists stay whole", Takes::Boolean),
    ],
};

static JSON_TEXT: Function = Function {
    directive: "@json",
    does: "A value as JSON text, or back",
    parameters: &[
        Parameter::required("value", "Of", Takes::Value),
        Parameter::required("mode", "Way", Takes::OneOf(&["encode", "decode"])),
    ],
};

impl Kind {
    /// The function that a value of this kind is.
    pub(super) const fn function(self) -> Option<&'static Function> {
        match self {
            Self::Coalesce => Some(&COALESCE),
            Self::Case => Some(&CASE),
            Self::Replace => Some(&REPLACE),
            Self::Flatten => Some(&FLATTEN),
            Self::JsonText => Some(&JSON_TEXT),
            Self::Default
            | Self::Column
            | Self::Template
            | Self::Text
            | Self::Number
            | Self::Boolean
            | Self::Null
            | Self::Object
            | Self::List
            | Self::Liquid
            | Self::Directive => None,
        }
    }
}

impl Function {
    /// The directive with these options.
    pub(super) fn write(&self, mut options: Map<String, Value>) -> Value {
        if self.directive == COALESCE.directive
            && let Some(first) = options.get("exists").cloned()
        {
            options.insert("then".to_owned(), first);
        }
        Value::from(Map::from_iter([(self.directive.to_owned(), options.into())]))
    }

    /// The options of a directive, if it is this one.
    pub(super) fn read<'d>(
        &self,
        directive: &'d Map<String, Value>,
    ) -> Option<&'d Map<String, Value>> {
        directive.get(self.directive)?.as_object()
    }
}

impl Parameter {
    const fn required(key: &'static str, label: &'static str, takes: Takes) -> Self {
        Self { key, label, takes, required: true }
    }

    const fn optional(key: &'static str, label: &'static str, takes: Takes) -> Self {
        Self { key, label, takes, required: false }
    }

    /// What it is before anybody says something else.
    pub(super) fn at_first(&self) -> Node {
        match self.takes {
            Takes::Value => Node::new(Kind::Column, ""),
            Takes::OneOf([first, ..]) => Node::new(Kind::Text, *first),
            Takes::Text if self.required => Node::new(Kind::Text, ""),
            Takes::Text | Takes::Boolean | Takes::OneOf([]) => Node::default(),
        }
    }

    /// The kinds of value that it can be.
    pub(super) const fn kinds(&self) -> &'static [Kind] {
        match self.takes {
            Takes::Value => &Kind::ALL,
            Takes::Text => &[Kind::Default, Kind::Text],
            Takes::Boolean => &[Kind::Default, Kind::Boolean],
            Takes::OneOf(_) => &[Kind::Text],
        }
    }

    /// Whether it can be shown so.
    pub(super) fn takes(&self, node: &Node) -> bool {
        let choices = self.choices();
        self.kinds().contains(&node.kind)
            && (choices.is_empty() || choices.contains(&node.text.as_str()))
    }

    /// The texts that it can be, if not any.
    pub(super) const fn choices(&self) -> &'static [&'static str] {
        match self.takes {
            Takes::OneOf(choices) => choices,
            Takes::Value | Takes::Text | Takes::Boolean => &[],
        }
    }
}
