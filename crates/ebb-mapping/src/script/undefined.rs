//! `undefined` inside the lists and objects that a mapping builds on its way.
//!
//! The core's values have no `undefined`, and no value that leaves a mapping has one. On the way it
//! can be seen, as in a list's item or in a key that overrides another's in `@merge`, so here a
//! number stands for it whose text no number can have.

use std::borrow::Cow;

use ebb_core::{Number, Value};

const TEXT: &str = "undefined";

/// `undefined`.
pub(crate) const fn undefined<'a>() -> Value<'a> {
    Value::Number(Number::Decimal(Cow::Borrowed(TEXT)))
}

/// Whether a value is `undefined`.
pub(crate) fn is_undefined(value: &Value<'_>) -> bool {
    matches!(value, Value::Number(Number::Decimal(text)) if text == TEXT)
}

/// Whether a value is `undefined` or `null`.
pub(crate) fn is_nullish(value: &Value<'_>) -> bool {
    value.is_null() || is_undefined(value)
}

/// Takes out the keys that are `undefined`; an item of a list becomes `null`, as in JSON text.
pub(crate) fn remove_undefined(value: &mut Value<'_>) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => {}
        Value::Number(_) => {
            if is_undefined(value) {
                *value = Value::Null;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(remove_undefined),
        Value::Object(object) => object.retain(|_, value| {
            let keep = !is_undefined(value);
            if keep {
                remove_undefined(value);
            }
            keep
        }),
    }
}
