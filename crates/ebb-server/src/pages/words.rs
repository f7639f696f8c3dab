//! Times, lengths and counts in words.

use std::time::Duration;

use ebb_core::{
    Code,
    port::{Status, SyncRecord, Verdict},
};
use ebb_engine::{Outlook, WhyNot};
use jiff::Timestamp;

/// A status as a label with a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pill {
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: &'static str,
}

impl Pill {
    pub(super) const NEVER: Self = Self { class: "", icon: "off", word: "Never run" };
    pub(super) const QUEUED: Self = Self { class: "", icon: "clock", word: "Queued" };
    pub(super) const RUNNING: Self = Self { class: "run", icon: "wave", word: "In progress" };
    const PAUSED: Self = Self { class: "held", icon: "held", word: "Paused" };

    /// How a sync stands or ended. One that met the limit of usage goes on by itself.
    pub(super) fn of_sync(sync: &SyncRecord) -> Self {
        match &sync.failure {
            Some(failure) if failure.code == Code::UsageLimit => Self::PAUSED,
            Some(_) | None => Self::of(sync.status),
        }
    }

    /// Of a record in a sync.
    pub(super) const fn of_record(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Delivered) => Self { class: "ok", icon: "ok", word: "Delivered" },
            Some(Verdict::Failed) => Self { class: "warn", icon: "replay", word: "Failed" },
            Some(Verdict::Discarded) => Self { class: "", icon: "canceled", word: "Discarded" },
            None => Self::QUEUED,
        }
    }

    pub(super) const fn of(status: Status) -> Self {
        match status {
            Status::Extracting | Status::Loading | Status::Committing => Self::RUNNING,
            Status::Succeeded => Self { class: "ok", icon: "ok", word: "Succeeded" },
            Status::Partial => Self { class: "warn", icon: "partial", word: "Partial" },
            Status::Failed => Self { class: "bad", icon: "failed", word: "Failed" },
            Status::Canceled => Self { class: "", icon: "canceled", word: "Canceled" },
            Status::Held => Self { class: "held", icon: "held", word: "Held for approval" },
        }
    }
}

/// A count with separators: `1,204,880`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time: `420 ms`, `38 s`, `2 min 41 s`, `3 h 5 min`, `2 d 4 h`.
pub(super) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let two = |more: u64, unit: &str, less: u64, smaller: &str| {
        if less == 0 { format!("{more} {unit}") } else { format!("{more} {unit} {less} {smaller}") }
    };
    match seconds {
        0 => format!("{} ms", length.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A length of time of which the larger unit is enough: `6 min`.
fn about(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long ago a moment was.
pub(super) fn ago(now: Timestamp, moment: Timestamp) -> String {
    match now.duration_since(moment).unsigned_abs() {
        short if short < Duration::from_secs(5) => "just now".to_owned(),
        long => format!("{} ago", about(long)),
    }
}

/// When a mapping runs next: a line, and what is said below it. `clock` tells a moment, now and then.
pub(super) fn next(
    outlook: Option<&Outlook>,
    now: Timestamp,
    clock: fn(Timestamp, Timestamp) -> String,
) -> (String, String) {
    let words = |line: &str, below: &str| (line.to_owned(), below.to_owned());
    match outlook {
        None => words("–", ""),
        Some(Outlook::Running) => words("Now", ""),
        Some(Outlook::Queued { running, before }) => {
            ("Waits for its turn".to_owned(), format!("{running} running, {before} before it"))
        }
        Some(Outlook::Paused { until }) => {
            ("Paused".to_owned(), format!("usage limit, goes on {}", clock(now, *until)))
        }
        Some(Outlook::Due { at }) if *at <= now => words("Now", ""),
        Some(Outlook::Due { at }) => {
            let left = at.duration_since(now).unsigned_abs();
            (clock(now, *at), format!("in {}", about(left)))
        }
        Some(Outlook::After { mapping }) => ("After".to_owned(), mapping.clone()),
        Some(Outlook::AfterDbtCloudJob { job }) => {
            ("After".to_owned(), format!("dbt Cloud job {job}"))
        }
        Some(Outlook::Idle { why }) => match why {
            WhyNot::Manual => words("By hand", ""),
            WhyNot::SwitchedOff => words("Not enabled", ""),
            WhyNot::DestinationOff => words("Not enabled", "its destination is off"),
            WhyNot::NeverDue => words("Never", "its schedule names no moment"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ago, count, length};

    #[test]
    fn counts_have_separators() {
        let told = [0, 999, 1_000, 12_480, 1_204_880].map(count);
        assert_eq!(told, ["0", "999", "1,000", "12,480", "1,204,880"]);
    }

    #[test]
    fn lengths_name_two_units_at_most() {
        let told = [420, 38_000, 120_000, 161_000, 11_100_000, 187_200_000]
            .map(|millis| length(Duration::from_millis(millis)));
        assert_eq!(told, ["420 ms", "38 s", "2 min", "2 min 41 s", "3 h 5 min", "2 d 4 h"]);
    }

    #[test]
    fn what_was_is_so_long_ago() {
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        let told = ["2026-03-02T09:59:58Z", "2026-03-02T09:54:00Z", "2026-02-28T10:00:00Z"]
            .map(|text| ago(now, text.parse().unwrap()));
        assert_eq!(told, ["just now", "6 min ago", "2 d ago"]);
    }
}
