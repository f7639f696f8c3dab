//! What may still be sent in a month.
//!
//! Syncs of one process share an allowance: a batch takes its records from it before it is sent, and what was not tried
//! in the end is given back. What other processes sent is looked up when a sync begins.

use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use ebb_core::{
    Failure,
    port::{JournalEntry, Verdict},
    usage::{Cycle, exhausted},
};
use jiff::Timestamp;

use crate::Engine;

/// The records of one month.
#[derive(Debug)]
pub(crate) struct Allowance {
    limit: u64,
    cycle: Cycle,
    /// Records that were tried or are about to be.
    used: AtomicU64,
}

impl Engine {
    /// The allowance of syncs that began at this moment; `None` if there is no limit.
    pub(crate) async fn allowance(
        &self,
        began: Timestamp,
    ) -> Result<Option<Arc<Allowance>>, Failure> {
        let Some(limit) = self.limits.usage else { return Ok(None) };
        let cycle = Cycle::of(began);
        let used = self.ports.store.used(cycle).await?;
        let used = used.iter().filter(|used| used.cycle == cycle).map(|used| used.records).sum();
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        let allowance = allowances
            .entry(cycle)
            .or_insert_with(|| Arc::new(Allowance { limit, cycle, used: AtomicU64::new(0) }));
        allowance.used.fetch_max(used, Ordering::Relaxed);
        Ok(Some(Arc::clone(allowance)))
    }

    /// `R405` if nothing more may be sent in this month.
    pub(crate) async fn affordable(&self) -> Result<(), Failure> {
        let now = self.now();
        match self.allowance(now).await? {
            Some(allowance) if allowance.is_used_up() => Err(allowance.exhausted(now)),
            Some(_) | None => Ok(()),
        }
    }
}

impl Allowance {
    fn is_used_up(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }

    /// Takes records, or those of them that are left. Gives how many.
    pub(crate) fn take(&self, records: u64) -> u64 {
        let left = |used| self.limit.saturating_sub(used).min(records);
        let before = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used + left(used)));
        before.map_or(0, left)
    }

    /// Gives back what of the taken records was not tried.
    pub(crate) fn give_back(&self, taken: u64, outcomes: &[JournalEntry]) {
        let tried = outcomes.iter().filter(|entry| was_tried(entry)).count() as u64;
        self.used.fetch_sub(taken.saturating_sub(tried), Ordering::Relaxed);
    }

    /// Why nothing more is sent.
    pub(crate) fn exhausted(&self, now: Timestamp) -> Failure {
        exhausted(self.limit, self.cycle, now)
    }
}

fn was_tried(entry: &JournalEntry) -> bool {
    let before = entry.failure.as_ref().is_some_and(|told| told.0.code.is_before_sending());
    entry.verdict != Verdict::Discarded || !before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(limit: u64) -> Allowance {
        let cycle = Cycle::of(Timestamp::UNIX_EPOCH);
        Allowance { limit, cycle, used: AtomicU64::new(0) }
    }

    #[test]
    fn no_more_is_taken_than_is_left_and_what_was_not_tried_comes_back() {
        let allowance = allowance(10);
        assert_eq!([7, 7, 7].map(|records| allowance.take(records)), [7, 3, 0]);
        assert!(allowance.is_used_up());
        allowance.give_back(3, &[]);
        assert!(!allowance.is_used_up());
        assert_eq!(allowance.take(9), 3);
    }
}
