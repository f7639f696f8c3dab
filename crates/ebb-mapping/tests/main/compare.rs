//! Whether two answers mean the same.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

/// Where we differ on purpose, and why. The comparison takes both for the same.
///
/// - Half of a surrogate pair (the first "character" of an emoji, to the reference) is U+FFFD here:
///   text is UTF-8, and no destination could take the half.
static HALF_OF_A_PAIR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\\ud[89a-f][0-9a-f]{2}").expect("a valid expression"));

fn whole(text: &str) -> Cow<'_, str> {
    HALF_OF_A_PAIR.replace_all(text, "\u{fffd}")
}

/// Whether two JSON values are equal: the order of keys does not count, numbers are doubles.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        (Value::String(one), Value::String(other)) => one == other || whole(one) == whole(other),
        _ => one == other,
    }
}
