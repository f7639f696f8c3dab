//! Moments in the forms that services take.

use ebb_core::Value;
use ebb_mapping::milliseconds;
use jiff::{Timestamp, tz::TimeZone};

/// Null for null, else what `change` makes of the moment.
pub(crate) fn or_null(
    value: Value<'_>,
    change: impl FnOnce(i64) -> Option<String>,
) -> Option<Value<'_>> {
    if value.is_null() {
        return Some(value);
    }
    milliseconds(&value).and_then(change).map(Into::into)
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
