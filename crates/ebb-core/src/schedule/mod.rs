//! When a mapping is due.

mod calendar;
mod interval;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, Day, FullHour, Zone};
pub use interval::Interval;

/// Allowed: `manual`, `{ every: 1h }`, `{ days: [mon], at: ["09:00"], timezone: Europe/Berlin }`
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
}

impl Schedule {
    /// The first moment after `moment` at which a sync is due; `None` if there is none.
    ///
    /// It depends on the schedule alone, not on when the last sync was: intervals are aligned to
    /// midnight UTC, so that a restart shifts nothing.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Manual => None,
            Self::Every { every } => every.next_after(moment),
            Self::Days(calendar) => calendar.next_after(moment),
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
