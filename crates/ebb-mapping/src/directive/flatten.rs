//! `@flatten`: nested keys become one key.

use ebb_core::{Object, Value};

use crate::script::entries;

/// The leaves of a value under the keys that lead to them, joined by `separator`. Empty objects and
/// lists vanish; lists are leaves if `keep_lists`.
pub(crate) fn flatten<'v>(value: &'v Value<'v>, separator: &str, keep_lists: bool) -> Object<'v> {
    let mut flat = Object::new();
    leaves(value, String::new(), separator, keep_lists, &mut flat);
    flat
}

fn leaves<'v>(
    value: &'v Value<'v>,
    prefix: String,
    separator: &str,
    keep_lists: bool,
    flat: &mut Object<'v>,
) {
    let below = |key: &str| {
        if prefix.is_empty() { key.to_owned() } else { format!("{prefix}{separator}{key}") }
    };
    match value {
        Value::Object(object) => {
            for (key, value) in entries(object) {
                leaves(value, below(key), separator, keep_lists, flat);
            }
        }
        Value::Array(items) if !keep_lists => {
            for (place, item) in items.iter().enumerate() {
                leaves(item, below(&place.to_string()), separator, keep_lists, flat);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            flat.insert(prefix, value.borrowed());
        }
    }
}
