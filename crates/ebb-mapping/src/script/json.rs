//! JSON text as JavaScript reads and writes it.

use std::fmt::Write;

use ebb_core::Value;

use super::{entries, is_undefined};

/// What `JSON.stringify(value)` gives; `None` for `undefined`.
pub(crate) fn stringify(value: &Value<'_>) -> Option<String> {
    if is_undefined(value) {
        return None;
    }
    let mut out = String::new();
    write(value, &mut out);
    Some(out)
}

fn write(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        // Neither `undefined` nor what arithmetic in a template gives.
        Value::Number(number) if !number.as_f64().is_finite() => out.push_str("null"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            write!(out, "{value}").expect("a string takes every write");
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            let mut first = true;
            for (key, value) in
                entries(object).into_iter().filter(|(_, value)| !is_undefined(value))
            {
                if !first {
                    out.push(',');
                }
                first = false;
                write(&Value::from(key), out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// What `JSON.parse(text)` gives; `None` where it fails.
pub(crate) fn parse_json(text: &str) -> Option<Value<'static>> {
    Value::from_json(text).ok()
}
