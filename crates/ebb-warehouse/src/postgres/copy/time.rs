//! Days, moments and times of day: from the server's epoch to Arrow's, and to ISO 8601 text.

use std::fmt::{self, Write};

use jiff::{Timestamp, civil};

/// Days from 1970-01-01 to 2000-01-01, where the server counts from.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// A server's moment as microseconds since 1970; `None` if it is infinite or beyond what the record
/// can show (years -9999 to 9999).
pub(super) fn moment(microseconds: i64) -> Option<i64> {
    let since_1970 = microseconds.checked_add(EPOCH_MICROSECONDS)?;
    let range = Timestamp::MIN.as_microsecond()..=Timestamp::MAX.as_microsecond();
    range.contains(&since_1970).then_some(since_1970)
}

/// A server's day as days since 1970; `None` if it is infinite or beyond the years -9999 to 9999.
pub(super) fn day(days: i32) -> Option<i32> {
    /// Days from 1970-01-01 to the first and the last day that can be shown.
    const SHOWN: std::ops::RangeInclusive<i32> = -4_371_587..=2_932_896;
    debug_assert!(civil::Date::MAX.year() == 9999);
    let since_1970 = days.checked_add(EPOCH_DAYS)?;
    SHOWN.contains(&since_1970).then_some(since_1970)
}

/// Writes a time of day, given in microseconds since midnight, such as `13:45:00.25`.
pub(super) fn write_time(microseconds: i64, text: &mut String) -> fmt::Result {
    let (seconds, fraction) =
        (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
    write!(text, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    if fraction != 0 {
        write!(text, ".{fraction:06}")?;
        text.truncate(text.trim_end_matches('0').len());
    }
    Ok(())
}

/// Writes a zone, given in seconds west of Greenwich as the server does, such as `+02:00`.
pub(super) fn write_offset(seconds_west: i32, text: &mut String) -> fmt::Result {
    let sign = if seconds_west > 0 { '-' } else { '+' };
    let east = seconds_west.unsigned_abs();
    write!(text, "{sign}{:02}:{:02}", east / 3600, east / 60 % 60)?;
    if !east.is_multiple_of(60) {
        write!(text, ":{:02}", east % 60)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::{EPOCH_DAYS, day, moment, write_offset, write_time};

    #[test]
    fn the_first_and_the_last_day_that_can_be_shown_are_taken() {
        let epoch = civil::date(1970, 1, 1);
        let days = |date: civil::Date| epoch.until(date).unwrap().get_days();
        assert_eq!(days(civil::date(2000, 1, 1)), EPOCH_DAYS);
        for last in [civil::Date::MIN, civil::Date::MAX] {
            assert_eq!(day(days(last) - EPOCH_DAYS), Some(days(last)));
        }
        assert_eq!(day(days(civil::Date::MIN) - EPOCH_DAYS - 1), None);
        assert_eq!(day(days(civil::Date::MAX) - EPOCH_DAYS + 1), None);
        assert_eq!((day(i32::MAX), day(i32::MIN)), (None, None));
    }

    #[test]
    fn infinite_and_remote_moments_are_none() {
        assert_eq!(moment(0), Some(946_684_800_000_000));
        assert_eq!((moment(i64::MAX), moment(i64::MIN)), (None, None));
        // The last moment that the server knows, in the year 294276.
        assert_eq!(moment(9_223_371_331_199_999_999), None);
    }

    #[test]
    fn times_of_day_are_iso_8601() {
        let time = |microseconds| {
            let mut text = String::new();
            write_time(microseconds, &mut text).unwrap();
            text
        };
        assert_eq!(time(0), "00:00:00");
        assert_eq!(time(86_400_000_000), "24:00:00");
        assert_eq!(time(49_500_250_000), "13:45:00.25");
        assert_eq!(time(1), "00:00:00.000001");
        let offset = |west| {
            let mut text = String::new();
            write_offset(west, &mut text).unwrap();
            text
        };
        assert_eq!(
            [offset(0), offset(-7200), offset(12_600), offset(-1172)],
            ["+00:00", "+02:00", "-03:30", "+00:19:32"]
        );
    }
}
