//! Changes, what a mapping takes of them, and how they are counted.

use std::{fmt, ops::AddAssign};

use serde::{Deserialize, Serialize};

/// What happened to a record since the last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The record was not there.
    Added,
    /// The record was there with other values.
    Updated,
    /// The record is no longer there.
    Deleted,
}

impl Operation {
    /// Every operation, in the order of their staged numbers.
    pub const ALL: [Self; 3] = [Self::Added, Self::Updated, Self::Deleted];

    /// The number that stands for the operation in `changes_<sync>` and in parts.
    pub const fn number(self) -> i64 {
        match self {
            Self::Added => 0,
            Self::Updated => 1,
            Self::Deleted => 2,
        }
    }

    /// The operation of a staged number.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.number() == number)
    }

    /// The operation as users see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    /// The `event` of the record that a mapping sees, as the reference names it.
    pub const fn event(self) -> &'static str {
        match self {
            Self::Added => "new",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// Which changes a mapping sends. The others are tracked all the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Subscription {
    /// Records that were not there before.
    Added,
    /// Records whose values changed.
    Updated,
    /// Both of these.
    #[default]
    AddedOrUpdated,
    /// Records that are gone.
    Deleted,
}

impl Subscription {
    /// Whether a change of this operation is sent.
    pub const fn takes(self, operation: Operation) -> bool {
        matches!(
            (self, operation),
            (Self::Added | Self::AddedOrUpdated, Operation::Added)
                | (Self::Updated | Self::AddedOrUpdated, Operation::Updated)
                | (Self::Deleted, Operation::Deleted)
        )
    }

    /// The operations that are sent.
    pub fn operations(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| self.takes(*operation))
    }
}

/// A number for each operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Added records.
    pub added: u64,
    /// Updated records.
    pub updated: u64,
    /// Deleted records.
    pub deleted: u64,
}

impl Tally {
    /// The number of one operation, to change it.
    pub const fn of(&mut self, operation: Operation) -> &mut u64 {
        match operation {
            Operation::Added => &mut self.added,
            Operation::Updated => &mut self.updated,
            Operation::Deleted => &mut self.deleted,
        }
    }

    /// The number of one operation.
    pub const fn get(&self, operation: Operation) -> u64 {
        match operation {
            Operation::Added => self.added,
            Operation::Updated => self.updated,
            Operation::Deleted => self.deleted,
        }
    }

    /// The sum over the operations.
    pub const fn total(&self) -> u64 {
        self.added + self.updated + self.deleted
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.deleted += other.deleted;
    }
}

/// What became of a sync's changes. I5: `extracted = delivered + failed + discarded`, for each
/// operation, once the sync has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Changes the mapping subscribes to, and rows without a usable identifier.
    pub extracted: Tally,
    /// Changes the destination took.
    pub delivered: Tally,
    /// Changes the next sync tries again.
    pub failed: Tally,
    /// Changes that will never work.
    pub discarded: Tally,
    /// Changes that are tracked but not sent, because the mapping does not subscribe to them.
    #[serde(default)]
    pub not_subscribed: Tally,
}

impl Counts {
    /// Whether I5 holds.
    pub fn add_up(&self) -> bool {
        Operation::ALL.into_iter().all(|operation| {
            self.extracted.get(operation)
                == self.delivered.get(operation)
                    + self.failed.get(operation)
                    + self.discarded.get(operation)
        })
    }
}
