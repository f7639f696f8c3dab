//! When a mapping runs next, for people.

use jiff::Timestamp;
use serde::Serialize;

/// What a mapping does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Outlook {
    /// It syncs now.
    Running,
    /// It is due, and waits for a place: so many syncs of its source run, and so many wait before it.
    Queued {
        /// Syncs of the source that run.
        running: usize,
        /// Syncs of the source that start before this one.
        before: usize,
    },
    /// It is due, or will be, and nothing starts before a moment: the month's usage is at its limit.
    Paused {
        /// When syncs go on.
        until: Timestamp,
    },
    /// It starts then.
    Due {
        /// When.
        at: Timestamp,
    },
    /// It starts when another mapping's sync has ended well.
    After {
        /// The other mapping.
        mapping: String,
    },
    /// It starts when a run of a job of dbt Cloud has ended well.
    AfterDbtCloudJob {
        /// The job.
        job: u64,
    },
    /// It does not start by itself.
    Idle {
        /// Why.
        why: WhyNot,
    },
}

/// Why a mapping does not start by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// Its schedule is `manual`.
    Manual,
    /// It is switched off.
    SwitchedOff,
    /// Its destination is switched off.
    DestinationOff,
    /// Its schedule names no moment that is still to come.
    NeverDue,
}
