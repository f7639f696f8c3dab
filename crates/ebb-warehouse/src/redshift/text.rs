//! Values as the server prints them in a session of Ebb's: ISO dates, UTC, hexadecimal bytes.

use std::borrow::Cow;

use jiff::{Timestamp, civil};

/// A date or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    Value(T),
    /// Beyond what a record can show (years -9999 to 9999).
    Remote,
}

const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// Days since 1970 of a date such as `2024-02-29` or `0044-03-15 BC`; `None` if it is none.
pub(super) fn date(text: &str) -> Option<Parsed<i32>> {
    let (text, before_christ) = era(text);
    Some(match days(text, before_christ)? {
        Parsed::Value(days) => Parsed::Value(i32::try_from(days).ok()?),
        Parsed::Remote => Parsed::Remote,
    })
}

/// Microseconds since 1970 of a moment such as `2024-02-29 13:45:00.25` or, in UTC,
/// `2024-02-29 13:45:00.25+00`; `None` if it is none.
pub(super) fn moment(text: &str) -> Option<Parsed<i64>> {
    let (text, before_christ) = era(text);
    let (date, time) = text.split_once(' ')?;
    let Parsed::Value(days) = days(date, before_christ)? else { return Some(Parsed::Remote) };
    let time = time.strip_suffix("+00").unwrap_or(time);
    let moment = days.checked_mul(DAY_MICROSECONDS)?.checked_add(microseconds(time)?)?;
    let shown = Timestamp::MIN.as_microsecond()..=Timestamp::MAX.as_microsecond();
    Some(if shown.contains(&moment) { Parsed::Value(moment) } else { Parsed::Remote })
}

/// A time of day as ISO 8601 writes it: a zone has minutes.
pub(super) fn time(text: &str) -> Cow<'_, str> {
    match text.rfind(['+', '-']) {
        Some(zone) if text.len() - zone == 3 => Cow::Owned(format!("{text}:00")),
        Some(_) | None => Cow::Borrowed(text),
    }
}

/// Bytes from hexadecimal digits, which a server may introduce with `\x`; `None` if they are none.
pub(super) fn bytes(text: &str, into: &mut Vec<u8>) -> Option<()> {
    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for [high, low] in pairs {
        into.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(())
}

fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

/// Days since 1970.
fn days(text: &str, before_christ: bool) -> Option<Parsed<i64>> {
    const EPOCH: civil::Date = civil::date(1970, 1, 1);
    let mut parts = text.splitn(3, '-');
    let year: i32 = parts.next()?.parse().ok()?;
    let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    // The year before 1 is 1 BC.
    let year = if before_christ { 1 - year } else { year };
    if !(-9999..=9999).contains(&year) {
        return Some(Parsed::Remote);
    }
    let date = civil::Date::new(i16::try_from(year).ok()?, month, day).ok()?;
    Some(Parsed::Value(date.duration_since(EPOCH).as_secs() / 86_400))
}

/// Microseconds since midnight of a time such as `13:45:00.25`.
fn microseconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':');
    let mut next = || parts.next()?.parse::<u16>().ok().map(i64::from);
    let seconds = (next()? * 60 + next()?) * 60 + next()?;
    let digits = fraction.get(..fraction.len().min(6))?;
    let parsed = if digits.is_empty() { 0 } else { digits.parse::<i64>().ok()? };
    let missing = u32::try_from(6 - digits.len()).ok()?;
    Some(seconds * 1_000_000 + parsed * 10_i64.pow(missing))
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil};
    use proptest::prelude::*;

    use super::{Parsed, bytes, date, moment, time};

    #[test]
    fn dates_of_every_age_are_read_and_remote_ones_told() {
        assert_eq!(date("1970-01-01"), Some(Parsed::Value(0)));
        assert_eq!(date("0001-01-01"), Some(Parsed::Value(-719_162)));
        assert_eq!(date("0001-12-31 BC"), Some(Parsed::Value(-719_163)));
        assert_eq!(date("9999-12-31"), Some(Parsed::Value(2_932_896)));
        assert_eq!(date("10000-01-01"), Some(Parsed::Remote));
        assert_eq!((date("2024-02-30"), date("soon"), date("")), (None, None, None));
    }

    #[test]
    fn moments_are_read_to_the_microsecond() {
        assert_eq!(moment("1970-01-01 00:00:00.000001+00"), Some(Parsed::Value(1)));
        assert_eq!(moment("1970-01-02 00:00:01"), Some(Parsed::Value(86_401_000_000)));
        assert_eq!(moment("1969-12-31 23:59:59.25"), Some(Parsed::Value(-750_000)));
        assert_eq!(moment("20000-01-01 00:00:00"), Some(Parsed::Remote));
        assert_eq!((moment("1970-01-01"), moment("1970-01-01 x")), (None, None));
    }

    #[test]
    fn zones_of_times_have_minutes() {
        assert_eq!(time("13:45:00.25"), "13:45:00.25");
        assert_eq!(time("13:45:00+02"), "13:45:00+02:00");
        assert_eq!(time("13:45:00-03:30"), "13:45:00-03:30");
    }

    #[test]
    fn bytes_come_from_digits() {
        let read = |text| {
            let mut into = Vec::new();
            bytes(text, &mut into).map(|()| into)
        };
        assert_eq!(read("DEadbeef"), Some(vec![0xDE, 0xAD, 0xBE, 0xEF]));
        assert_eq!(read("\\x00"), Some(vec![0]));
        assert_eq!((read(""), read("0"), read("0g")), (Some(Vec::new()), None, None));
    }

    proptest! {
        #[test]
        fn every_moment_comes_back(microseconds in
            civil::date(1, 1, 1).in_tz("UTC").unwrap().timestamp().as_microsecond()
            ..=Timestamp::MAX.as_microsecond())
        {
            let text = Timestamp::from_microsecond(microseconds).unwrap().to_string();
            let printed = text.replace('T', " ").replace('Z', "+00");
            prop_assert_eq!(moment(&printed), Some(Parsed::Value(microseconds)));
        }

        #[test]
        fn no_text_makes_the_readers_panic(text: String) {
            let read = (date(&text), moment(&text), bytes(&text, &mut Vec::new()));
            prop_assert!(text.contains(' ') || read.1.is_none());
        }
    }
}
