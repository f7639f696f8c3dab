//! Schedules by a crontab's pattern, in a time zone.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use cronexpr::Crontab;
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use super::{Zone, calendar::text_form};

/// Moments by a crontab's pattern.
///
/// A moment that the local clock leaves out is left out; one that it shows twice counts as often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    /// Minute, hour, day of the month, month, day of the week, such as `30 6 * * 1-5`.
    pub cron: Pattern,
    /// The time zone of `cron`, by its IANA name; UTC if absent.
    #[serde(default)]
    pub timezone: Zone,
}

impl Moments {
    /// The first moment after `moment` that the pattern names.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let next = self.crontab()?.find_next(moment).ok()?;
        Some(next.timestamp())
    }

    /// The shortest time between two of the next moments; `None` if there are fewer than two.
    pub fn shortest(&self) -> Option<Duration> {
        /// Enough for all hours of two weeks.
        const LOOKED_AT: usize = 400;
        let moments = self.crontab()?.iter_after(Timestamp::UNIX_EPOCH).ok()?;
        let moments: Vec<_> = moments.map_while(Result::ok).take(LOOKED_AT).collect();
        let apart = moments.windows(2).filter_map(|pair| match pair {
            [one, next] => one.timestamp().duration_until(next.timestamp()).try_into().ok(),
            _ => None,
        });
        apart.min()
    }

    fn crontab(&self) -> Option<Crontab> {
        cronexpr::parse_crontab(&format!("{} {}", self.cron.0, self.timezone)).ok()
    }
}

/// The five fields of a crontab's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl FromStr for Pattern {
    type Err = String;

    /// The error says what is allowed.
    fn from_str(text: &str) -> Result<Self, String> {
        const ALLOWED: &str = "Allowed: minute, hour, day of the month, month, day of the week, such as \
                               `30 6 * * 1-5`";
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let pattern = fields.join(" ");
        let read = cronexpr::parse_crontab(&format!("{pattern} UTC"));
        if fields.len() == 5 && read.is_ok() { Ok(Self(pattern)) } else { Err(ALLOWED.to_owned()) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

text_form!(Pattern, "cron", { "examples": ["30 6 * * 1-5"] });
