//! The filters.

mod date;
mod list;
mod math;
mod text;
mod web;

use ebb_core::Value;

use super::evaluate::{Variables, is_true, to_number};
use crate::script::{
    is_nullish, is_truthy, is_undefined, push_text, stringify as json_text, to_length, undefined,
};

/// What a filter does: a value and arguments to a value.
type Apply = fn(&Value<'_>, &Arguments<'_>) -> Result<Value<'static>, String>;

/// A filter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Filter {
    /// Passes the value on: `raw`, and filters that nobody knows.
    Nothing,
    /// Fails on every value.
    Disabled(&'static str),
    /// `default`.
    Default,
    /// `json` and its other names.
    Json,
    Apply(Apply),
}

/// Filters that the mapping language does without.
const DISABLED: [&str; 20] = [
    "array_to_sentence_string",
    "concat",
    "find",
    "find_exp",
    "find_index",
    "find_index_exp",
    "group_by",
    "group_by_exp",
    "has",
    "has_exp",
    "map",
    "newline_to_br",
    "reject",
    "reject_exp",
    "reverse",
    "sort",
    "sort_natural",
    "uniq",
    "where_exp",
    "type",
];

/// The arguments of a filter, and what it may know of the template.
pub(super) struct Arguments<'v> {
    values: &'v [Value<'v>],
    variables: &'v dyn Variables,
}

impl Arguments<'_> {
    /// An argument that was given, and is not `undefined`.
    fn get(&self, place: usize) -> Option<&Value<'_>> {
        self.values.get(place).filter(|value| !is_undefined(value))
    }

    /// An argument as text; empty if it is missing.
    fn text(&self, place: usize) -> String {
        self.get(place).map(text).unwrap_or_default()
    }
}

impl Filter {
    pub(super) fn new(name: &str) -> Self {
        if name == "default" {
            return Self::Default;
        }
        if let Some(name) = DISABLED.iter().find(|disabled| **disabled == name) {
            return Self::Disabled(name);
        }
        if matches!(name, "json" | "jsonify" | "inspect") {
            return Self::Json;
        }
        let found = [math::find, list::find, text::find, web::find, date::find]
            .into_iter()
            .find_map(|find| find(name));
        found.map_or(Self::Nothing, Self::Apply)
    }

    pub(super) fn apply<'v>(
        self,
        value: Value<'v>,
        arguments: &[Value<'_>],
        variables: &dyn Variables,
    ) -> Result<Value<'v>, String> {
        match self {
            Self::Nothing => Ok(value),
            Self::Disabled(name) => Err(format!("the filter `{name}` is disabled")),
            Self::Default => Ok(default(value, arguments)),
            Self::Json => Ok(json(&value, arguments.first())),
            Self::Apply(apply) => apply(&value, &Arguments { values: arguments, variables }),
        }
    }
}

fn default<'v>(value: Value<'v>, arguments: &[Value<'_>]) -> Value<'v> {
    let allow_false = arguments.iter().skip(1).any(|argument| {
        matches!(argument.as_array(), Some([name, flag])
            if name.as_str() == Some("allow_false") && is_truthy(flag))
    });
    let keep = match &value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(false) => allow_false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => is_true(&value),
    };
    if keep {
        return value;
    }
    arguments.first().map_or_else(undefined, |value| value.clone().into_owned())
}

/// JSON text, indented by so many spaces or by a text.
fn json(value: &Value<'_>, indent: Option<&Value<'_>>) -> Value<'static> {
    let Some(text) = json_text(value) else { return undefined() };
    let indent = match indent {
        Some(Value::String(indent)) => indent.chars().take(10).collect(),
        Some(number @ Value::Number(_)) => " ".repeat(to_length(to_number(number)).min(10)),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    };
    if indent.is_empty() { text.into() } else { indented(&text, &indent).into() }
}

/// Compact JSON text with a line for each item.
fn indented(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            out.push(character);
            continue;
        }
        match character {
            '"' => {
                quoted = true;
                out.push(character);
            }
            '{' | '[' => {
                out.push(character);
                if let Some(close) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    out.push('\n');
                    out.push_str(&indent.repeat(depth));
                }
            }
            '}' | ']' => {
                depth -= 1;
                out.push('\n');
                out.push_str(&indent.repeat(depth));
                out.push(character);
            }
            ',' => {
                out.push_str(",\n");
                out.push_str(&indent.repeat(depth));
            }
            ':' => out.push_str(": "),
            other => out.push(other),
        }
    }
    out
}

/// Appends a value as a template shows it.
pub(super) fn stringify(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| stringify(item, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            if !is_nullish(value) {
                push_text(value, out);
            }
        }
    }
}

/// A value as a template shows it.
fn text(value: &Value<'_>) -> String {
    let mut out = String::new();
    stringify(value, &mut out);
    out
}
