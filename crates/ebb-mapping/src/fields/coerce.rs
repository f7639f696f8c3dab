//! Values that are made to fit a type.

use ebb_core::{Number, Value};

use super::schema::Type;
use crate::script::{number_of_text, value_of_f64};

/// Whether a value is of a type.
pub(super) fn is_of(value: &Value<'_>, kind: Type) -> bool {
    match (kind, value) {
        (Type::String, Value::String(_))
        | (Type::Number, Value::Number(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Null, Value::Null)
        | (Type::Array, Value::Array(_))
        | (Type::Object, Value::Object(_)) => true,
        (Type::Integer, Value::Number(number)) => number.as_f64().fract() == 0.0,
        _ => false,
    }
}

/// Makes a value fit one of the types, in their order; whether it does now. A value that is refused
/// stays as it is.
pub(super) fn coerce(value: &mut Value<'_>, types: &[Type]) -> bool {
    if types.iter().any(|kind| is_of(value, *kind)) {
        return true;
    }
    if types.iter().all(|kind| *kind == Type::Object) {
        return false;
    }
    // A list of one stands for its item.
    let inner = match value {
        Value::Array(items) => match items.as_slice() {
            [item] => Some(item.clone()),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            None
        }
    };
    if let (Some(item), [kind]) = (&inner, types)
        && is_of(item, *kind)
    {
        *value = item.clone();
        return true;
    }
    let source = inner.as_ref().unwrap_or(value);
    match types.iter().find_map(|kind| converted(source, *kind)) {
        Some(fitting) => {
            *value = fitting;
            true
        }
        None => false,
    }
}

fn converted<'a>(value: &Value<'a>, kind: Type) -> Option<Value<'a>> {
    match (kind, value) {
        (Type::String, Value::Number(number)) => Some(number.to_string().into()),
        (Type::String, Value::Bool(flag)) => Some(flag.to_string().into()),
        (Type::String, Value::Null) => Some(Value::text("")),
        (Type::Number | Type::Integer, Value::Bool(flag)) => Some(i64::from(*flag).into()),
        (Type::Number | Type::Integer, Value::Null) => Some(0.into()),
        (Type::Number | Type::Integer, Value::String(text)) => number(text, kind),
        (Type::Boolean, Value::String(text)) => match &**text {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            _ => None,
        },
        (Type::Boolean, Value::Number(number)) => {
            [0.0, 1.0].contains(&number.as_f64()).then(|| (number.as_f64() > 0.0).into())
        }
        (Type::Boolean, Value::Null) => Some(false.into()),
        (Type::Null, Value::String(text)) if text.is_empty() => Some(Value::Null),
        (Type::Null, Value::Number(number)) if number.as_f64() == 0.0 => Some(Value::Null),
        (Type::Null, Value::Bool(false)) => Some(Value::Null),
        (Type::Array, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null) => {
            Some(vec![value.clone()].into())
        }
        _ => None,
    }
}

fn number<'a>(text: &str, kind: Type) -> Option<Value<'a>> {
    if text.is_empty() {
        return None;
    }
    // Whole numbers keep all 64 bits.
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let number = number_of_text(text)?;
    // The reference takes infinity for whole, and then sends null.
    if kind == Type::Integer && number.is_finite() && number.fract() != 0.0 {
        return None;
    }
    Some(value_of_f64(number))
}

/// Whether two values are equal, numbers as doubles.
pub(super) fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Number(Number::Int(one)), Value::Number(Number::Int(other))) => one == other,
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().total_cmp(&other.as_f64()).is_eq()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}
