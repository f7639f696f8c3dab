//! The order of an object's keys, and the keys of what is no object.

use std::borrow::Cow;

use ebb_core::{Object, Value};

/// Whether a key counts as a list index, and so comes before all other keys.
pub(crate) fn is_index(key: &str) -> Option<u32> {
    let canonical =
        key == "0" || (key.starts_with(|first: char| first.is_ascii_digit() && first != '0'));
    if !canonical || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    key.parse().ok().filter(|index| *index != u32::MAX)
}

/// The keys and values in JavaScript's order: indices by size, then the others as they came.
pub(crate) fn entries<'v, 'a>(object: &'v Object<'a>) -> Vec<(&'v str, &'v Value<'a>)> {
    let mut entries: Vec<_> = object.iter().collect();
    if entries.iter().any(|(key, _)| is_index(key).is_some()) {
        entries.sort_by_key(|(key, _)| is_index(key).map_or((1, 0), |index| (0, index)));
    }
    entries
}

/// Copies the keys of a value over those of an object, as `Object.assign` does: a list and text
/// have their indices as keys, other values have none.
pub(crate) fn assign<'a>(target: &mut Object<'a>, source: Value<'a>) {
    match source {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            // A half of a surrogate pair is no text on its own.
            for (index, unit) in text.encode_utf16().enumerate() {
                let unit = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
                target.insert(index.to_string(), unit.to_string().into());
            }
        }
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                target.insert(index.to_string(), item);
            }
        }
        Value::Object(object) => {
            let indices = object.keys().any(|key| is_index(key).is_some());
            let mut entries: Vec<(Cow<'a, str>, Value<'a>)> = object.into_iter().collect();
            if indices {
                entries.sort_by_key(|(key, _)| is_index(key).map_or((1, 0), |index| (0, index)));
            }
            for (key, value) in entries {
                target.insert(key, value);
            }
        }
    }
}
