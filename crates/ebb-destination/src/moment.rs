//! Moments in time, read as generously as the field's tools read them.

use ebb_core::{Number, Value};
use jiff::{Timestamp, tz::TimeZone};

/// The moment of a text or number, in milliseconds since 1970; `None` if it is none.
#[expect(clippy::cast_possible_truncation, reason = "a time out of range is refused below")]
pub(crate) fn millis(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Number(Number::Int(number)) => Some(*number),
        Value::Number(number) => Some(number.as_f64().trunc() as i64),
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Null for null, else what `change` makes of the moment.
pub(crate) fn or_null(
    value: Value<'_>,
    change: impl FnOnce(i64) -> Option<String>,
) -> Option<Value<'_>> {
    if value.is_null() {
        return Some(value);
    }
    millis(&value).and_then(change).map(Into::into)
}

/// `2024-05-01T12:30:00.000Z`.
pub(crate) fn iso_time(millis: i64) -> Option<String> {
    let moment = Timestamp::from_millisecond(millis).ok()?;
    Some(format!("{moment:.3}"))
}

/// `2024-05-01`, in UTC.
pub(crate) fn iso_date(millis: i64) -> Option<String> {
    let moment = Timestamp::from_millisecond(millis).ok()?;
    Some(moment.to_zoned(TimeZone::UTC).date().to_string())
}
