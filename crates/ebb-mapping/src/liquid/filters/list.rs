//! Lists.

use ebb_core::Value;

use super::{Apply, Arguments, text};
use crate::{
    liquid::evaluate::{is_true, number, property, property_path, same, to_number, variable_path},
    script::{from_length, is_nullish, is_truthy, text_of, to_length, undefined, units},
};

/// A filter of lists.
pub(super) fn find(name: &str) -> Option<Apply> {
    Some(match name {
        "join" => |value, arguments| {
            let separator = match arguments.get(0) {
                Some(Value::Null) | None => " ".to_owned(),
                Some(separator) => text(separator),
            };
            let item = |item: &Value<'_>| {
                if is_nullish(item) { String::new() } else { text_of(item).into_owned() }
            };
            let items: Vec<_> = items(value).iter().map(item).collect();
            Ok(items.join(&separator).into())
        },
        "first" => |value, _| Ok(end(value, true)),
        "last" => |value, _| Ok(end(value, false)),
        "size" => |value, _| {
            let length = match value {
                Value::Null | Value::Bool(_) | Value::Number(_) => undefined(),
                Value::String(_) | Value::Array(_) | Value::Object(_) => {
                    property(value, &"length".into()).into_owned()
                }
            };
            Ok(if is_truthy(&length) { length } else { 0.into() })
        },
        "sum" => |value, arguments| {
            let path = arguments.get(0).filter(|path| is_truthy(path)).map(text);
            let sum = items(value).iter().fold(0.0, |sum, item| {
                let part = match &path {
                    Some(path) => to_number(&property_path(item, path)),
                    None => to_number(item),
                };
                if part.is_nan() { sum } else { sum + part }
            });
            Ok(number(sum))
        },
        "compact" => |value, _| {
            let mut items = items(value);
            items.retain(|item| !is_nullish(item));
            Ok(items.into())
        },
        "push" => |value, arguments| {
            let mut items = items(value);
            items.push(item(arguments));
            Ok(items.into())
        },
        "unshift" => |value, arguments| {
            let mut items = items(value);
            items.insert(0, item(arguments));
            Ok(items.into())
        },
        "pop" => |value, _| {
            let mut items = items(value);
            items.pop();
            Ok(items.into())
        },
        "shift" => |value, _| Ok(items(value).into_iter().skip(1).collect::<Vec<_>>().into()),
        "slice" => |value, arguments| {
            let begin = arguments.get(0).map_or_else(undefined, |begin| begin.clone().into_owned());
            Ok(slice(value, &begin, arguments.get(1)))
        },
        "where" => |value, arguments| {
            let path = arguments.text(0);
            let mut found = Vec::new();
            for item in items(value) {
                let own = variable_path(&item, &path)?;
                let fits = match arguments.get(1) {
                    Some(expected) => same(&own, expected),
                    None => is_true(&own),
                };
                if fits {
                    found.push(item);
                }
            }
            Ok(found.into())
        },
        // The reference chooses at random; the same record must give the same payload here.
        "sample" => |value, arguments| match value {
            value if is_nullish(value) => Ok(Vec::new().into()),
            Value::Array(_) if arguments.get(0).is_none() => Ok(end(value, true)),
            Value::Array(_) => Ok(slice(value, &Value::from(0), arguments.get(0))),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => Ok(end(&text(value).into(), true)),
        },
        _ => return None,
    })
}

fn items(value: &Value<'_>) -> Vec<Value<'static>> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.clone().into_owned()).collect(),
        value if is_nullish(value) => Vec::new(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![value.clone().into_owned()]
        }
    }
}

fn end(value: &Value<'_>, first: bool) -> Value<'static> {
    let length = match value {
        Value::Array(items) => items.len(),
        Value::String(text) if !text.is_empty() => units(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            return Value::text("");
        }
    };
    let place = if first { 0 } else { length.saturating_sub(1) };
    property(value, &i64::try_from(place).unwrap_or(i64::MAX).into()).into_owned()
}

/// The first argument.
fn item(arguments: &Arguments<'_>) -> Value<'static> {
    arguments.get(0).map_or_else(undefined, |item| item.clone().into_owned())
}

/// So many items from one on, or UTF-16 units of text; one if the count is missing.
fn slice(value: &Value<'_>, begin: &Value<'_>, count: Option<&Value<'_>>) -> Value<'static> {
    if is_nullish(value) {
        return Vec::new().into();
    }
    let list = match value {
        Value::Array(_) => items(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            // Halves of surrogate pairs stay together in what is put together again.
            text(value).encode_utf16().map(|unit| i64::from(unit).into()).collect()
        }
    };
    let length = from_length(list.len());
    let count = count.map_or_else(|| 1.into(), |count| count.clone().into_owned());
    let begin = match to_number(begin) {
        negative if negative < 0.0 => number(length + negative),
        _ => begin.clone().into_owned(),
    };
    // JavaScript's `+`: where one side is text, both are joined.
    let is_text =
        |value: &Value<'_>| matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_));
    let end = if is_text(&begin) || is_text(&count) {
        to_number(&format!("{}{}", text_of(&begin), text_of(&count)).into())
    } else {
        to_number(&begin) + to_number(&count)
    };
    let place = |number: f64| {
        let number = if number.is_nan() { 0.0 } else { number.trunc() };
        let number = if number < 0.0 { number + length } else { number };
        to_length(number.clamp(0.0, length))
    };
    let (begin, end) = (place(to_number(&begin)), place(end));
    let part = list.get(begin..end.max(begin)).unwrap_or_default();
    if matches!(value, Value::Array(_)) {
        return part.to_vec().into();
    }
    let units = part.iter().map(|unit| u16::try_from(to_length(to_number(unit))).unwrap_or(0));
    String::from_utf16_lossy(&units.collect::<Vec<_>>()).into()
}
