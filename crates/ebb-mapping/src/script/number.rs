//! Text as a number.

use ebb_core::{Number, Value};

use super::trim;

/// What `Number(text)` gives; `None` where that is not a number.
pub(crate) fn number_of_text(text: &str) -> Option<f64> {
    let text = trim(text);
    if text.is_empty() {
        return Some(0.0);
    }
    let radix = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    for (prefix, radix) in radix {
        if let Some(digits) = text.strip_prefix(prefix) {
            return of_digits(digits, radix);
        }
    }
    match text {
        "Infinity" | "+Infinity" => return Some(f64::INFINITY),
        "-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    // Rust reads `inf` and `nan` too, JavaScript does not.
    let plain =
        text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain { text.parse().ok() } else { None }
}

fn of_digits(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |number, digit| {
        Some(number * f64::from(radix) + f64::from(digit.to_digit(radix)?))
    })
}

/// The number as a value: whole where a double is, `null` where JSON has no such number.
pub(crate) fn value_of_f64(number: f64) -> Value<'static> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        return Value::Null;
    }
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
        return Value::Number(Number::Int(number as i64));
    }
    Value::Number(Number::Float(number))
}

/// The whole part of a number; 0 where it is none, the nearest where it has no room.
#[expect(clippy::cast_possible_truncation, reason = "the cast keeps within bounds by itself")]
pub(crate) fn to_whole(number: f64) -> i64 {
    number as i64
}

/// The whole part of a number as a length: 0 where it is negative or none.
pub(crate) fn to_length(number: f64) -> usize {
    usize::try_from(to_whole(number)).unwrap_or(0)
}

/// A length as a number.
#[expect(clippy::cast_precision_loss, reason = "nothing has 2^53 parts")]
pub(crate) fn from_length(length: usize) -> f64 {
    length as f64
}
