//! Schedules that repeat after a fixed time.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The times that may lie between two scheduled syncs. Each of them divides a day.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Interval {
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    QuarterHour,
    /// Half an hour.
    #[serde(rename = "30m")]
    HalfHour,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// Two hours.
    #[serde(rename = "2h")]
    TwoHours,
    /// Four hours.
    #[serde(rename = "4h")]
    FourHours,
    /// Six hours.
    #[serde(rename = "6h")]
    SixHours,
    /// Eight hours.
    #[serde(rename = "8h")]
    EightHours,
    /// Half a day.
    #[serde(rename = "12h")]
    HalfDay,
    /// A day of 24 hours, from midnight UTC.
    #[serde(rename = "1d")]
    Day,
}

impl Interval {
    /// Every interval, from the shortest.
    pub const ALL: [Self; 9] = [
        Self::QuarterHour,
        Self::HalfHour,
        Self::Hour,
        Self::TwoHours,
        Self::FourHours,
        Self::SixHours,
        Self::EightHours,
        Self::HalfDay,
        Self::Day,
    ];

    /// The interval as the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuarterHour => "15m",
            Self::HalfHour => "30m",
            Self::Hour => "1h",
            Self::TwoHours => "2h",
            Self::FourHours => "4h",
            Self::SixHours => "6h",
            Self::EightHours => "8h",
            Self::HalfDay => "12h",
            Self::Day => "1d",
        }
    }

    const fn minutes(self) -> u32 {
        match self {
            Self::QuarterHour => 15,
            Self::HalfHour => 30,
            Self::Hour => 60,
            Self::TwoHours => 120,
            Self::FourHours => 240,
            Self::SixHours => 360,
            Self::EightHours => 480,
            Self::HalfDay => 720,
            Self::Day => 1440,
        }
    }

    /// The interval's length.
    pub fn duration(self) -> Duration {
        Duration::from_mins(self.minutes().into())
    }

    /// The first multiple of the interval after a moment, counted from 1970 in UTC.
    pub fn next_after(self, moment: Timestamp) -> Option<Timestamp> {
        let length = i128::from(self.minutes()) * 60 * 1_000_000_000;
        let passed = moment.as_nanosecond().div_euclid(length);
        Timestamp::from_nanosecond((passed + 1) * length).ok()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}
