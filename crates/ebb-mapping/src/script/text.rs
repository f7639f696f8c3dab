//! Values as text.

use std::{borrow::Cow, fmt::Write};

use ebb_core::Value;

use super::{is_nullish, is_undefined};

/// What `String(value)` gives.
pub(crate) fn text_of<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let mut text = String::new();
            push_text(value, &mut text);
            Cow::Owned(text)
        }
    }
}

/// Appends what `String(value)` gives.
pub(crate) fn push_text(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(_) if is_undefined(value) => out.push_str("undefined"),
        Value::Number(number) => write!(out, "{number}").expect("a string takes every write"),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                if !is_nullish(item) {
                    push_text(item, out);
                }
            }
        }
        Value::Object(_) => out.push_str("[object Object]"),
    }
}

/// The text without JavaScript's white space at both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether JavaScript counts a character as white space.
pub(crate) fn is_space(character: char) -> bool {
    character == '\u{feff}' || (character.is_whitespace() && character != '\u{85}')
}

/// The length that JavaScript gives a text: its UTF-16 units.
pub(crate) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}
