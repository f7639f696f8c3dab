//! `Retry-After` in seconds, whichever of its two forms it has.

use jiff::{Timestamp, fmt::rfc2822};

/// The seconds that a `Retry-After` asks for, counted from now; `None` if it cannot be read.
pub(super) fn seconds(text: &str, now: Timestamp) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds);
    }
    let until = rfc2822::parse(text).ok()?.timestamp();
    let wait = until.as_millisecond().saturating_sub(now.as_millisecond()).max(0);
    u64::try_from(wait).ok().map(|millis| millis.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = "2026-11-21T03:00:00Z".parse().unwrap();
        for (text, wanted) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Sat, 21 Nov 2026 03:00:30 GMT", Some(30)),
            ("Sat, 21 Nov 2026 02:00:00 GMT", Some(0)),
            ("soon", None),
        ] {
            assert_eq!(seconds(text, now), wanted, "{text}");
        }
    }
}
