//! When a mapping is due.

use serde::{Deserialize, Serialize};

/// A mapping's schedule as the configuration writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Schedule {
    /// Only when somebody asks.
    #[default]
    Manual,
    /// Again and again.
    Every {
        /// One of `15m 30m 1h 2h 4h 6h 8h 12h 1d`.
        every: String,
    },
    /// On days of the week, at full hours.
    Days {
        /// `mon` to `sun`.
        days: Vec<String>,
        /// `HH:00`.
        at: Vec<String>,
        /// An IANA time zone; UTC if absent.
        #[serde(default)]
        timezone: Option<String>,
    },
}
