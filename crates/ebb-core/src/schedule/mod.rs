//! When a mapping is due.

mod calendar;
mod cron;
mod interval;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, Day, FullHour, Zone};
pub use cron::{Moments, Pattern};
pub use interval::Interval;

/// Allowed: `manual`, `{ every: 1h }`, `{ days: [mon], at: ["09:00"], timezone: Europe/Berlin }`, `{ cron: "30 6 * * 1-5" }`, `{ after: MAPPING }`, `{ after_dbt_cloud_job: 12345 }`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Schedule {
    /// Only when somebody asks.
    #[default]
    #[serde(with = "word")]
    #[schemars(with = "word::Word")]
    Manual,
    /// Again and again.
    Every {
        /// The time between two syncs; they begin at its multiples since midnight UTC.
        every: Interval,
    },
    /// On days of the week, at full hours.
    Days(Calendar),
    /// By a crontab's pattern.
    Cron(Moments),
    /// Behind another mapping.
    After {
        /// The mapping whose syncs, when they end well, are followed by this one's.
        after: String,
    },
    /// Behind a job of dbt Cloud.
    AfterDbtCloudJob {
        /// The number of the job, whose runs, when they end well, are followed by a sync.
        after_dbt_cloud_job: u64,
    },
}

impl Schedule {
    /// The first moment after `moment` at which a sync is due; `None` if there is none.
    ///
    /// It depends on the schedule alone, not on when the last sync was: intervals are aligned to
    /// midnight UTC, so that a restart shifts nothing.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Manual | Self::After { .. } | Self::AfterDbtCloudJob { .. } => None,
            Self::Cron(moments) => moments.next_after(moment),
            Self::Every { every } => every.next_after(moment),
            Self::Days(calendar) => calendar.next_after(moment),
        }
    }

    /// The mapping that this schedule follows.
    pub fn after(&self) -> Option<&str> {
        match self {
            Self::After { after } => Some(after),
            Self::Manual
            | Self::Every { .. }
            | Self::Days(_)
            | Self::Cron(_)
            | Self::AfterDbtCloudJob { .. } => None,
        }
    }

    /// The job of dbt Cloud that this schedule follows.
    pub fn dbt_cloud_job(&self) -> Option<u64> {
        match self {
            Self::AfterDbtCloudJob { after_dbt_cloud_job } => Some(*after_dbt_cloud_job),
            Self::Manual
            | Self::Every { .. }
            | Self::Days(_)
            | Self::Cron(_)
            | Self::After { .. } => None,
        }
    }

    /// The shortest time between two moments of the schedule; `None` if there are none, or if full hours
    /// lie between them.
    pub fn shortest(&self) -> Option<Duration> {
        match self {
            Self::Every { every } => Some(every.duration()),
            Self::Cron(moments) => moments.shortest(),
            Self::Manual | Self::Days(_) | Self::After { .. } | Self::AfterDbtCloudJob { .. } => {
                None
            }
        }
    }
}

/// The word `manual`, which an untagged enum has no form for.
mod word {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Only when somebody asks.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub(super) enum Word {
        Manual,
    }

    pub(super) fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        Word::Manual.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        Word::deserialize(deserializer).map(|Word::Manual| ())
    }
}
