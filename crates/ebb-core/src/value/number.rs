//! Numbers that keep what their source knew.

use std::{borrow::Cow, fmt};

/// A number. Integers keep 64 bits and decimals keep every digit; only arithmetic rounds.
#[derive(Debug, Clone, PartialEq)]
pub enum Number<'a> {
    /// A whole number of 64 bits.
    Int(i64),
    /// A double; always finite, because JSON knows no others.
    Float(f64),
    /// The plain JSON text of a number that neither of the others holds without loss.
    Decimal(Cow<'a, str>),
}

impl Number<'_> {
    /// The nearest double, as JavaScript would read the number.
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Int(value) => *value as f64,
            Self::Float(value) => *value,
            Self::Decimal(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// A number of the same meaning that borrows nothing.
    pub fn into_owned(self) -> Number<'static> {
        match self {
            Self::Int(value) => Number::Int(value),
            Self::Float(value) => Number::Float(value),
            Self::Decimal(text) => Number::Decimal(Cow::Owned(text.into_owned())),
        }
    }

    /// A view that borrows from this number.
    pub fn borrowed(&self) -> Number<'_> {
        match self {
            Self::Int(value) => Number::Int(*value),
            Self::Float(value) => Number::Float(*value),
            Self::Decimal(text) => Number::Decimal(Cow::Borrowed(text)),
        }
    }
}

/// As JSON and as JavaScript's `String(n)` write it (ECMAScript `Number::toString`).
impl fmt::Display for Number<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => out.write_str(ryu_js::Buffer::new().format(*value)),
            Self::Decimal(text) => out.write_str(text),
        }
    }
}
