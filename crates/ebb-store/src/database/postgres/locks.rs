//! The right to sync a mapping, as an advisory lock of the session that writes: it ends with the process,
//! however that ends, on whichever machine.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ebb_core::port::Lock;

use crate::database::{
    fault::Fault,
    sql::{Transaction, params},
    writer::Nudge,
};

/// The rights of this process. The server's locks know sessions only, so that two syncs of one process
/// are kept apart here.
#[derive(Debug, Default)]
pub(in crate::database) struct SessionLocks(Mutex<Rights>);

#[derive(Debug, Default)]
struct Rights {
    held: HashMap<i64, Right>,
    /// Those that the session still has and nobody needs.
    released: Vec<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    Asked,
    Taken,
}

impl SessionLocks {
    fn rights(&self) -> MutexGuard<'_, Rights> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that nobody else in this process asks for a right; `None` if somebody has it.
    pub(in crate::database) fn reserve(
        self: &Arc<Self>,
        key: i64,
        nudge: Nudge,
    ) -> Option<SessionLock> {
        match self.rights().held.entry(key) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(free) => free.insert(Right::Asked),
        };
        Some(SessionLock { key, locks: Arc::clone(self), nudge })
    }

    /// Whether any right is held.
    pub(super) fn are_taken(&self) -> bool {
        self.rights().held.values().any(|right| *right == Right::Taken)
    }

    /// The rights that the session is to give back.
    pub(super) fn released(&self) -> Vec<i64> {
        std::mem::take(&mut self.rights().released)
    }

    /// The rights that a new session is to take. It has none to give back.
    pub(super) fn taken_again(&self) -> Vec<i64> {
        let mut rights = self.rights();
        rights.released.clear();
        let taken = rights.held.iter().filter(|(_, right)| **right == Right::Taken);
        taken.map(|(key, _)| *key).collect()
    }
}

/// A right, or the wish for it. Dropping it gives it back.
#[derive(Debug)]
pub(in crate::database) struct SessionLock {
    key: i64,
    locks: Arc<SessionLocks>,
    nudge: Nudge,
}

impl Lock for SessionLock {}

impl SessionLock {
    /// Takes the right, within a transaction of the connection that writes; whether nobody else has it.
    pub(in crate::database) fn take(&self, transaction: &Transaction<'_>) -> Result<bool, Fault> {
        let ask = "select pg_try_advisory_lock(?1)";
        let taken = transaction.query_row(ask, params![self.key], |row| row.get(0))?;
        if taken {
            self.locks.rights().held.insert(self.key, Right::Taken);
        }
        Ok(taken)
    }
}

impl Drop for SessionLock {
    fn drop(&mut self) {
        let mut rights = self.locks.rights();
        if rights.held.remove(&self.key) == Some(Right::Taken) {
            rights.released.push(self.key);
            drop(rights);
            self.nudge.give();
        }
    }
}
