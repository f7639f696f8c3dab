//! Why a sync began, and what it is to do.

use std::time::Duration;

use ebb_core::{
    SyncId,
    port::{SyncKind, SyncRecord},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is to be done with a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Deliver what changed.
    Sync,
    /// The same, although a guard would hold it.
    ApprovedSync,
    /// Deliver every record again, whether or not it changed.
    Backfill,
    /// The same, although a guard would hold it.
    ApprovedBackfill,
    /// Deliver a past sync's changes again.
    Replay {
        /// The past sync.
        of: SyncId,
    },
    /// Take today's checksums over without sending anything.
    Rebase,
}

impl Work {
    /// Whether records go out by it.
    pub(super) const fn sends(self) -> bool {
        match self {
            Self::Sync
            | Self::ApprovedSync
            | Self::Backfill
            | Self::ApprovedBackfill
            | Self::Replay { .. } => true,
            Self::Rebase => false,
        }
    }

    /// What delivers the rest of a sync that was cut short. Once the diff of a backfill was taken over,
    /// whatever it did not deliver differs for every sync; before that, it has to begin anew.
    pub fn rest_of(sync: &SyncRecord) -> Self {
        match (sync.kind, &sync.diff) {
            (SyncKind::Backfill, None) => Self::Backfill,
            (
                SyncKind::Sync | SyncKind::Backfill | SyncKind::Replay { .. } | SyncKind::Rebase,
                _,
            ) => Self::Sync,
        }
    }
}

/// Why a sync began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody asked.
    #[default]
    Request,
    /// Its schedule said so.
    Schedule {
        /// The moment for which it was due: the first that was missed, if there are several.
        due: Timestamp,
    },
    /// Another mapping's sync ended well.
    After {
        /// The other mapping.
        mapping: String,
    },
    /// A run of a job of dbt Cloud ended well.
    DbtCloud {
        /// The job.
        job: u64,
        /// The run.
        run: u64,
    },
}

impl Cause {
    /// How late a sync began by its schedule; `None` if it was on time or has none.
    pub fn late(&self, began: Timestamp) -> Option<Duration> {
        /// A start takes a moment.
        const ON_TIME: Duration = Duration::from_mins(1);
        let Self::Schedule { due } = self else { return None };
        let late = Duration::try_from(due.duration_until(began)).ok()?;
        (late > ON_TIME).then_some(late)
    }
}
