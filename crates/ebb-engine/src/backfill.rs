//! Every record once more: what a mapping sent before an edit, it sends as the edit has it.
//!
//! Checksums have a generation. A backfill compares by the one behind the tracked state's, so that every
//! record differs, and its commit takes the new one over together with what was delivered. What was not
//! keeps its old checksum, and differs for the syncs that follow.

use ebb_core::{
    Code, Failure, Operation,
    config::Mapping,
    port::{SyncKind, Tracked},
};

/// Fails with `R422` unless a backfill of the mapping would send records again.
pub fn sends_again(mapping: &Mapping) -> Result<(), Failure> {
    if mapping.records.takes(Operation::Updated) {
        return Ok(());
    }
    let records: Vec<_> = mapping.records.operations().map(Operation::as_str).collect();
    let message = format!(
        "the mapping sends `{}` alone, and a backfill sends records again as updates",
        records.join("` and `"),
    );
    Err(Failure::new(Code::BackfillUnsent, message))
}

/// The generation of the checksums by which a sync compares.
pub(crate) fn generation(tracked: Option<&Tracked>, kind: SyncKind) -> u32 {
    let now = tracked.map_or(0, |tracked| tracked.recipe.generation);
    match kind {
        // All that counts is that it is another one.
        SyncKind::Backfill if tracked.is_some() => now.wrapping_add(1),
        SyncKind::Sync | SyncKind::Backfill | SyncKind::Replay { .. } | SyncKind::Rebase => now,
    }
}
