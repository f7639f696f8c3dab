//! One column's values, from the text in which a result writes them.

use std::{borrow::Cow, iter, sync::Arc};

use arrow_array::{
    ArrayRef,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::DataType;
use ebb_core::ColumnKind;
use jiff::{Timestamp, civil};
use serde_json::value::RawValue;

/// What one column's values are gathered in.
pub(super) enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Json(StringBuilder),
    Time(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

impl Values {
    pub(super) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new()),
            ColumnKind::Decimal | ColumnKind::Text => Self::Text(StringBuilder::new()),
            ColumnKind::Json => Self::Json(StringBuilder::new()),
            ColumnKind::Time => Self::Time(StringBuilder::new()),
            ColumnKind::Binary => Self::Binary(BinaryBuilder::new()),
            ColumnKind::Date => Self::Date(Date32Builder::new()),
            ColumnKind::Timestamp | ColumnKind::LocalTimestamp => {
                Self::Moment(TimestampMicrosecondBuilder::new())
            }
        }
    }

    pub(super) fn null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Text(builder) | Self::Json(builder) | Self::Time(builder) => {
                builder.append_null();
            }
            Self::Binary(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Moment(builder) => builder.append_null(),
        }
    }

    /// Takes a value from its text; `None` if the text is none of such a value.
    pub(super) fn push(&mut self, text: &str) -> Option<()> {
        match self {
            Self::Boolean(builder) => builder.append_value(boolean(text)?),
            Self::Integer(builder) => builder.append_value(text.parse().ok()?),
            Self::Float(builder) => {
                let number: f64 = text.parse().ok()?;
                builder.append_option(number.is_finite().then_some(number));
            }
            Self::Text(builder) => builder.append_value(text),
            Self::Json(builder) => builder.append_value(json(text)),
            Self::Time(builder) => builder.append_value(time(text)?),
            Self::Binary(builder) => builder.append_value(bytes(text)?),
            Self::Date(builder) => builder.append_value(days(text)?),
            Self::Moment(builder) => builder.append_value(micros(text)?),
        }
        Some(())
    }

    pub(super) fn finish(&mut self, wanted: &DataType) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Text(builder) | Self::Json(builder) | Self::Time(builder) => {
                Arc::new(builder.finish())
            }
            Self::Binary(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Moment(builder) => {
                let moments = builder.finish();
                let zone =
                    if let DataType::Timestamp(_, zone) = wanted { zone.clone() } else { None };
                Arc::new(moments.with_timezone_opt(zone))
            }
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        word => word.to_ascii_lowercase().parse().ok(),
    }
}

/// Bytes from their hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

/// A day as the number of days since 1970, or as ISO 8601 writes it.
fn days(text: &str) -> Option<i32> {
    text.parse().ok().or_else(|| {
        let day: civil::Date = text.parse().ok()?;
        Some(day.since(civil::date(1970, 1, 1)).ok()?.get_days())
    })
}

/// A time of day from seconds since midnight, or as ISO 8601 writes it.
fn time(text: &str) -> Option<String> {
    if text.contains(':') {
        return text.parse::<civil::Time>().ok().map(|time| time.to_string());
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    Some(time_of_day(seconds.parse().ok()?, fraction))
}

/// A time of day from whole seconds since midnight and the digits of a fraction.
pub(crate) fn time_of_day(seconds: u32, fraction: &str) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{fraction}")
}

/// A text as JSON: as it is written if it is JSON; what JSON has no word for, such as `undefined`, becomes a text
/// that shows it.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => text.into(),
        Err(_) => serde_json::Value::from(text).to_string().into(),
    }
}

/// Microseconds since 1970 from seconds, a fraction, and a zone's offset which they do not depend
/// on, or from what ISO 8601 writes.
fn micros(text: &str) -> Option<i64> {
    epoch(text).or_else(|| {
        let moment = text.parse::<Timestamp>().ok();
        moment.map(Timestamp::as_microsecond).or_else(|| last_moments(text))
    })
}

/// Microseconds since 1970 without a zone, or in UTC in the last hours of the year 9999, which is beyond the
/// moments that every zone has a date for.
fn last_moments(text: &str) -> Option<i64> {
    const DAY: i64 = 86_400_000_000;
    let utc = ["Z", "+00", "+00:00"].into_iter().find_map(|zone| text.strip_suffix(zone));
    let local: civil::DateTime = utc.unwrap_or(text).parse().ok()?;
    let since_midnight = local.time().duration_since(civil::Time::midnight()).as_micros();
    let days = local.date().since(civil::date(1970, 1, 1)).ok()?.get_days();
    Some(i64::from(days) * DAY + i64::try_from(since_midnight).ok()?)
}

fn epoch(text: &str) -> Option<i64> {
    let number = text.split(' ').next().filter(|number| !number.contains(':'))?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let micros = six_digits(fraction)?;
    let whole = seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Some(if seconds.starts_with('-') { whole - micros } else { whole + micros })
}

/// The number of a fraction's first six digits; those that it does not have are zeros.
fn six_digits(fraction: &str) -> Option<i64> {
    let mut digits = fraction.chars().chain(iter::repeat('0')).take(6);
    digits.try_fold(0, |number, digit| Some(number * 10 + i64::from(digit.to_digit(10)?)))
}

#[cfg(test)]
mod tests {
    use super::{bytes, days, epoch, micros, time};

    #[test]
    fn values_are_read_from_numbers_or_from_their_text() {
        assert_eq!(epoch("1767348672.123456789 1560"), Some(1_767_348_672_123_456));
        assert_eq!(epoch("-0.500000000"), Some(-500_000));
        assert_eq!(epoch("-62135596800.000000000"), Some(-62_135_596_800_000_000));
        assert_eq!(micros("2026-01-02T10:11:12.123456789+00:00"), Some(1_767_348_672_123_456));
        assert_eq!(micros("2026-01-02 10:11:12.123456789"), Some(1_767_348_672_123_456));
        assert_eq!(micros("soon"), None);
        assert_eq!(micros("0001-01-01 00:00:00+00"), Some(-62_135_596_800_000_000));
        assert_eq!(micros("9998-12-31T23:59:59.999999"), Some(253_370_764_799_999_999));
        let last = Some(253_402_300_799_999_999);
        assert_eq!(micros("9999-12-31T23:59:59.999999"), last);
        assert_eq!(micros("9999-12-31 23:59:59.999999+00"), last);
        assert_eq!(micros("1969-12-31 23:59:59.5"), Some(-500_000));
        assert_eq!(
            (days("-1"), days("1970-01-03"), days("1600-01-01")),
            (Some(-1), Some(2), Some(-135_140))
        );
        assert_eq!(time("36672.123456000").as_deref(), Some("10:11:12.123456"));
        assert_eq!(time("0.000000000").as_deref(), Some("00:00:00"));
        assert_eq!(time("10:11:12.5").as_deref(), Some("10:11:12.5"));
        assert_eq!(bytes("00fF"), Some(vec![0, 255]));
        assert_eq!((bytes("0"), bytes("xy")), (None, None));
    }
}
