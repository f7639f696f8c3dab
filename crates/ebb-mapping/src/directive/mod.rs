//! What single directives do to values, once these are known.

mod flatten;
mod replace;
mod template;

pub(crate) use flatten::flatten;
pub(crate) use replace::replace;
pub(crate) use template::{Template, render};

use ebb_core::{Object, Value};

use crate::script::{is_nullish, push_text, undefined};

/// Whether `@if` counts a value as there: neither `undefined` nor `null`.
pub(crate) fn exists(value: &Value<'_>) -> bool {
    !is_nullish(value)
}

/// Whether `@if` counts a value as filled: it is there, and not loosely equal to the empty text,
/// as are 0, `false`, the empty list and lists of nothing but such lists.
pub(crate) fn is_filled(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => exists(value) && number.as_f64() != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Array(_) => {
            let mut text = String::new();
            push_text(value, &mut text);
            !text.is_empty()
        }
        Value::Object(_) => true,
    }
}

/// Makes `undefined` of what is `null` in an object and the objects within; lists stay as they are.
pub(crate) fn exclude_null(value: &mut Value<'_>) {
    match value {
        Value::Null => *value = undefined(),
        Value::Object(object) => clean(object),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

fn clean(object: &mut Object<'_>) {
    for (_, value) in object.iter_mut() {
        exclude_null(value);
    }
}
