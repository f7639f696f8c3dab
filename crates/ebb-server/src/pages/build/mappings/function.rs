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
        Parameter { key: "exists", label: "First", takes: Takes::Value, required: true },
        Parameter { key: "else", label: "Second", takes: Takes::Value, required: false },
    ],
};

static CASE: Function = Function {
    directive: "@case",
    does: "Text in small letters or capitals",
    parameters: &[
        Parameter { key: "value", label: "Of", takes: Takes::Value, required: true },
        Parameter {
            key: "operator",
            label: "Letters",
            takes: Takes::OneOf(&["lower", "upper"]),
            required: true,
        },
    ],
};

static REPLACE: Function = Function {
    directive: "@replace",
    does: "Text with some of its letters replaced",
    parameters: &[
        Parameter { key: "value", label: "In", takes: Takes::Value, required: true },
        Parameter { key: "pattern", label: "Look for", takes: Takes::Text, required: true },
        Parameter { key: "replacement", label: "Put there", takes: Takes::Text, required: false },
        Parameter { key: "global", label: "Everywhere", takes: Takes::Boolean, required: false },
        Parameter {
            key: "ignorecase",
            label: "Small letters and capitals alike",
            takes: Takes::Boolean,
            required: false,
        },
        Parameter { key: "pattern2", label: "Look for, too", takes: Takes::Text, required: false },
        Parameter {
            key: "replacement2",
            label: "Put there, too",
            takes: Takes::Text,
            required: false,
        },
    ],
};

static FLATTEN: Function = Function {
    directive: "@flatten",
    does: "Objects within an object become properties of it",
    parameters: &[
        Parameter { key: "value", label: "Of", takes: Takes::Value, required: true },
        Parameter {
            key: "separator",
            label: "Between the names",
            takes: Takes::Text,
            required: true,
        },
        Parameter {
            key: "omitArrays",
            label: "Lists stay whole",
            takes: Takes::Boolean,
            required: false,
        },
    ],
};

static JSON_TEXT: Function = Function {
    directive: "@json",
    does: "A value as JSON text, or back",
    parameters: &[
        Parameter { key: "value", label: "Of", takes: Takes::Value, required: true },
        Parameter {
            key: "mode",
            label: "Way",
            takes: Takes::OneOf(&["encode", "decode"]),
            required: true,
        },
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
