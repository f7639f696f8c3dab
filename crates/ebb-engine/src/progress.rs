//! How far a sync is, for people who watch.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use ebb_core::port::Status;
use tokio_util::sync::CancellationToken;

/// What somebody who started a sync holds on to.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Ends it early: batches in flight finish, and what was delivered is committed.
    pub stop: CancellationToken,
}

/// Counters of a running sync. Cheap to write from any thread; read them for a progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    extracted: AtomicU64,
    staged: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    discarded: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the sync stands.
    pub status: Status,
    /// Changes to deliver; 0 until the diff is done.
    pub extracted: u64,
    /// Changes staged.
    pub staged: u64,
    /// Changes the destination took.
    pub delivered: u64,
    /// Changes the next sync tries again.
    pub failed: u64,
    /// Changes that will never work.
    pub discarded: u64,
}

const PHASES: [Status; 3] = [Status::Extracting, Status::Loading, Status::Committing];

impl Progress {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let phase = usize::from(self.phase.load(Ordering::Relaxed));
        Snapshot {
            status: PHASES.get(phase).copied().unwrap_or(Status::Committing),
            extracted: read(&self.extracted),
            staged: read(&self.staged),
            delivered: read(&self.delivered),
            failed: read(&self.failed),
            discarded: read(&self.discarded),
        }
    }

    /// A sync begins: all counters start anew.
    pub(crate) fn begin(&self) {
        self.phase.store(0, Ordering::Relaxed);
        for counter in
            [&self.extracted, &self.staged, &self.delivered, &self.failed, &self.discarded]
        {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn loading(&self, extracted: u64) {
        self.extracted.store(extracted, Ordering::Relaxed);
        self.phase.store(1, Ordering::Relaxed);
    }

    pub(crate) fn committing(&self) {
        self.phase.store(2, Ordering::Relaxed);
    }

    pub(crate) fn staged(&self, changes: u64) {
        self.staged.fetch_add(changes, Ordering::Relaxed);
    }

    pub(crate) fn outcomes(&self, delivered: u64, failed: u64, discarded: u64) {
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
        self.discarded.fetch_add(discarded, Ordering::Relaxed);
    }
}
