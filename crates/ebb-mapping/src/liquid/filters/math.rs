//! Arithmetic.

use ebb_core::Value;

use super::{Apply, Arguments};
use crate::{
    liquid::evaluate::{number, to_number},
    script::to_whole,
};

/// A filter of arithmetic.
pub(super) fn find(name: &str) -> Option<Apply> {
    Some(match name {
        "abs" => |value, _| Ok(number(lenient(value).abs())),
        "ceil" => |value, _| Ok(number(lenient(value).ceil())),
        "floor" => |value, _| Ok(number(lenient(value).floor())),
        "at_least" => |value, arguments| Ok(number(all(arguments).fold(lenient(value), f64::max))),
        "at_most" => |value, arguments| Ok(number(all(arguments).fold(lenient(value), f64::min))),
        "plus" => |value, arguments| Ok(number(lenient(value) + operand(arguments))),
        "minus" => |value, arguments| Ok(number(lenient(value) - operand(arguments))),
        "times" => |value, arguments| Ok(number(lenient(value) * operand(arguments))),
        "modulo" => |value, arguments| Ok(number(lenient(value) % operand(arguments))),
        "divided_by" => |value, arguments| {
            let quotient = lenient(value) / operand(arguments);
            let whole = arguments.values.get(1).is_some_and(|flag| lenient(flag) != 0.0);
            Ok(number(if whole { quotient.floor() } else { quotient }))
        },
        "round" => |value, arguments| {
            let value = lenient(value);
            let digits = arguments.get(0).map_or(0.0, lenient);
            let scale = if digits.fract() == 0.0 && digits.abs() < 300.0 {
                10_f64.powi(i32::try_from(to_whole(digits)).unwrap_or(0))
            } else {
                10_f64.powf(digits)
            };
            let sign = if value == 0.0 { 0.0 } else { value.signum() };
            Ok(number(sign * ((value * scale).abs() + 0.5).floor() / scale))
        },
        "to_integer" => |value, _| Ok(number(to_number(value))),
        _ => return None,
    })
}

/// A value as a number; 0 where it is none.
fn lenient(value: &Value<'_>) -> f64 {
    let number = to_number(value);
    if number.is_nan() { 0.0 } else { number }
}

fn all(arguments: &Arguments<'_>) -> impl Iterator<Item = f64> {
    arguments.values.iter().map(lenient)
}

/// The first argument; without one nothing is a number.
fn operand(arguments: &Arguments<'_>) -> f64 {
    arguments.values.first().map_or(f64::NAN, lenient)
}
