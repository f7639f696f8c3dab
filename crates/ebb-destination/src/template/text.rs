//! Values as JavaScript would show and judge them, which is how the field's tools were built.

use std::borrow::Cow;

use ebb_core::{Number, Value};

/// The value as text: strings as they are, everything else as JavaScript's `String` shows it.
pub(crate) fn text_of<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Null => "null".into(),
        Value::Bool(true) => "true".into(),
        Value::Bool(false) => "false".into(),
        Value::Number(number) => number.to_string().into(),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) => items
            .iter()
            .map(|item| if item.is_null() { Cow::Borrowed("") } else { text_of(item) })
            .collect::<Vec<_>>()
            .join(",")
            .into(),
        Value::Object(_) => "[object Object]".into(),
    }
}

/// Whether a value counts as true: not null, `false`, zero or empty text.
pub(crate) fn is_truthy(value: Option<&Value<'_>>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(Number::Int(value))) => *value != 0,
        Some(Value::Number(number)) => number.as_f64() != 0.0,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_javascript_shows() {
        let value = Value::from_json(r#"[1, "a", null, [true, 2.50], {"k": 1}]"#).unwrap();
        assert_eq!(text_of(&value), "1,a,,true,2.5,[object Object]");
        assert_eq!(text_of(&Value::Null), "null");
    }

    #[test]
    fn zero_and_nothing_are_false() {
        for text in ["null", "false", "0", "0.0", "\"\""] {
            assert!(!is_truthy(Some(&Value::from_json(text).unwrap())), "{text}");
        }
        for text in ["true", "-1", "\"0\"", "[]", "{}"] {
            assert!(is_truthy(Some(&Value::from_json(text).unwrap())), "{text}");
        }
        assert!(!is_truthy(None));
    }
}
