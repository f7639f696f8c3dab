//! Moments, for destinations that send times in a form of their own.

use std::sync::LazyLock;

use ebb_core::{Number, Value};
use jiff::{Span, civil};
use regex::{Captures, Regex};

use crate::script::milliseconds_of_date;

/// Year, month, day and so on, as the reference's date library reads them before it asks the
/// engine.
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^([0-9]{4})[-/]?([0-9]{1,2})?[-/]?([0-9]{0,2})[Tt\s\x{feff}]*([0-9]{1,2})?",
        r":?([0-9]{1,2})?:?([0-9]{1,2})?[.:]?([0-9]+)?$"
    ))
    .expect("the expression is a constant and valid")
});

/// The milliseconds since 1970 of text or a number that a `datetime` field accepts, local times
/// taken for UTC; `None` if it is no moment.
#[expect(clippy::cast_possible_truncation, reason = "a time out of range is refused by its users")]
pub fn milliseconds(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Number(Number::Int(number)) => Some(*number),
        Value::Number(number) => {
            Some(number.as_f64()).filter(|it| it.is_finite()).map(|it| it as i64)
        }
        Value::String(text) => {
            if !text.ends_with(['Z', 'z'])
                && let Some(parts) = PLAIN.captures(text)
            {
                return plain(&parts);
            }
            milliseconds_of_date(text)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A month or day past its end runs into the next one.
fn plain(parts: &Captures<'_>) -> Option<i64> {
    let part =
        |place: usize| parts.get(place).map(|part| part.as_str()).filter(|it| !it.is_empty());
    let number = |place: usize, otherwise: i64| {
        part(place).map_or(Some(otherwise), |text| text.parse::<i64>().ok())
    };
    let fraction: String = part(7).unwrap_or("0").chars().take(3).collect();
    let year = i16::try_from(number(1, 0)?).ok()?;
    // A year of two digits, with zeros before it, is one of the last century.
    let year = if (0..100).contains(&year) { year + 1900 } else { year };
    let span = Span::new()
        .try_months(number(2, 1)? - 1)
        .ok()?
        .try_days(number(3, 1)? - 1)
        .ok()?
        .try_hours(number(4, 0)?)
        .ok()?
        .try_minutes(number(5, 0)?)
        .ok()?
        .try_seconds(number(6, 0)?)
        .ok()?
        .try_milliseconds(fraction.parse::<i64>().ok()?)
        .ok()?;
    let moment = civil::date(year, 1, 1).at(0, 0, 0, 0).checked_add(span).ok()?;
    Some(moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_the_reference_reads_them() {
        for (text, wanted) in [
            ("2024-05-01", Some("2024-05-01T00:00:00Z")),
            ("2024-05-01T12:30:15.5", Some("2024-05-01T12:30:15.005Z")),
            ("2024-05-01T12:30:15.5Z", Some("2024-05-01T12:30:15.5Z")),
            ("2024-13-32", Some("2025-02-01T00:00:00Z")),
            ("20240501", Some("2024-05-01T00:00:00Z")),
            ("May 1, 2024 2:00 PM", Some("2024-05-01T14:00:00Z")),
            ("soon", None),
        ] {
            let wanted = wanted.map(|it| it.parse::<jiff::Timestamp>().unwrap().as_millisecond());
            assert_eq!(milliseconds(&text.into()), wanted, "{text}");
        }
    }
}
