//! Changes to parts: the warehouse is read as fast as it gives, and then let go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::RecordBatch;
use ebb_core::{
    Failure, PartNumber, SyncId,
    port::{PartInfo, Parts, Store},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{Progress, changes::Changes, trace};

/// A part is closed when it holds so much: large enough that a part costs little, small enough that
/// some of them fit in memory (I4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSize {
    /// Changes.
    pub rows: usize,
    /// Bytes in memory.
    pub bytes: usize,
}

impl Default for PartSize {
    fn default() -> Self {
        Self { rows: 20_000, bytes: 8 * 1024 * 1024 }
    }
}

/// Bytes of staged parts that are held in memory for the loader, so that a loader which keeps up
/// reads no part back (I4).
const HELD: usize = 32 * 1024 * 1024;

/// The parts of a sync that are staged so far, for the loader that follows behind.
#[derive(Default)]
pub(crate) struct Shelf {
    state: Mutex<Staged>,
    changed: Notify,
}

#[derive(Default)]
struct Staged {
    parts: Vec<PartInfo>,
    /// Rows of parts that nobody took yet, and how many bytes they are.
    held: BTreeMap<usize, (Vec<RecordBatch>, usize)>,
    held_bytes: usize,
    complete: bool,
}

impl Shelf {
    /// A shelf with the parts that an earlier run staged.
    pub(crate) fn with(parts: Vec<PartInfo>, complete: bool) -> Self {
        let state = Staged { parts, complete, ..Staged::default() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// The part of a number, waiting until it is staged, with its rows if they are still held;
    /// `None` if there is none and will be none.
    pub(crate) async fn part(&self, number: usize) -> Option<(PartInfo, Option<Vec<RecordBatch>>)> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(part) = state.parts.get(number).cloned() {
                    return Some((part, state.take(number)));
                }
                if state.complete {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn add(&self, part: PartInfo, rows: Rows) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.held_bytes + rows.bytes <= HELD {
            let number = state.parts.len();
            state.held_bytes += rows.bytes;
            state.held.insert(number, (rows.batches, rows.bytes));
        }
        state.parts.push(part);
        drop(state);
        self.changed.notify_waiters();
    }

    /// What is staged so far.
    fn size(&self) -> trace::Size {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.parts.iter().fold(trace::Size::default(), |size, part| trace::Size {
            parts: size.parts + 1,
            records: size.records + part.changes.total(),
            bytes: size.bytes + part.bytes,
        })
    }

    /// Nothing more will come.
    pub(crate) fn complete(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).complete = true;
        self.changed.notify_waiters();
    }
}

impl Staged {
    fn take(&mut self, number: usize) -> Option<Vec<RecordBatch>> {
        let (batches, bytes) = self.held.remove(&number)?;
        self.held_bytes -= bytes;
        Some(batches)
    }
}

/// The rows of one part.
#[derive(Default)]
struct Rows {
    batches: Vec<RecordBatch>,
    count: usize,
    bytes: usize,
}

impl Rows {
    fn push(&mut self, batch: RecordBatch) {
        self.count += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
    }

    const fn fill(&self, size: PartSize) -> bool {
        self.count >= size.rows || self.bytes >= size.bytes
    }
}

/// What staging writes to.
pub(crate) struct Staging<'a> {
    pub(crate) parts: &'a dyn Parts,
    pub(crate) store: &'a dyn Store,
    pub(crate) sync: SyncId,
    pub(crate) progress: &'a Progress,
    pub(crate) size: PartSize,
}

impl Staging<'_> {
    /// Stages changes as the parts from `number` on. Stops between two batches when `stop` says so;
    /// then `false` comes back, and the changes table still holds the rest.
    pub(crate) async fn run(
        &self,
        mut changes: Changes<'_>,
        mut number: PartNumber,
        shelf: &Shelf,
        stop: &CancellationToken,
    ) -> Result<bool, Failure> {
        let mut rows = self.gather(&mut changes, stop).await?;
        while let Some(full) = rows {
            // One part is stored while the next arrives. Both come to their end: a part that is
            // still being written must not meet a later try of itself.
            let (stored, next) =
                tokio::join!(self.close(number, full, shelf), self.gather(&mut changes, stop));
            stored?;
            rows = next?;
            number += 1;
        }
        trace::staged(shelf.size());
        Ok(!stop.is_cancelled())
    }

    /// The rows of the next part; `None` at the end, or when loading stops.
    async fn gather(
        &self,
        changes: &mut Changes<'_>,
        stop: &CancellationToken,
    ) -> Result<Option<Rows>, Failure> {
        let mut rows = Rows::default();
        while !rows.fill(self.size) {
            match changes.next().await {
                _ if stop.is_cancelled() => return Ok(None),
                Ok(Some(batch)) => rows.push(batch),
                Ok(None) => break,
                Err(failure) => return Err(failure),
            }
        }
        Ok((rows.count > 0).then_some(rows))
    }

    async fn close(&self, number: PartNumber, rows: Rows, shelf: &Shelf) -> Result<(), Failure> {
        let part = self.parts.put(self.sync, number, rows.batches.clone()).await?;
        self.store.add_part(self.sync, &part).await?;
        self.progress.staged(part.changes.total());
        shelf.add(part, rows);
        Ok(())
    }
}

/// Ends the wait of the loader when staging ends, however it ends.
pub(crate) struct CompleteOnDrop(pub(crate) Arc<Shelf>);

impl Drop for CompleteOnDrop {
    fn drop(&mut self) {
        self.0.complete();
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array};
    use ebb_core::{Tally, record::SEQ};

    use super::*;

    fn part(number: PartNumber) -> PartInfo {
        let (changes, digest) = (Tally::default(), String::new());
        PartInfo { number, first: 0, last: 0, changes, bytes: 0, digest }
    }

    fn rows(count: usize) -> Rows {
        let seqs: ArrayRef = Arc::new(Int64Array::from(vec![0; count]));
        let mut rows = Rows::default();
        rows.push(RecordBatch::try_from_iter([(SEQ, seqs)]).unwrap());
        rows
    }

    #[tokio::test]
    async fn rows_are_held_until_they_are_taken_and_never_more_than_fit() {
        let shelf = Shelf::default();
        let half = HELD / 2 / size_of::<i64>() - 1024;
        for number in 0..3 {
            shelf.add(part(number), rows(half));
        }
        let mut held = Vec::new();
        for number in 0..3 {
            held.push(shelf.part(number).await.unwrap().1.is_some());
        }
        assert_eq!(held, [true, true, false]);
        shelf.add(part(3), rows(half));
        assert!(shelf.part(3).await.unwrap().1.is_some(), "room is given back");
        assert!(shelf.part(3).await.unwrap().1.is_none(), "taken once");
        shelf.complete();
        assert!(shelf.part(4).await.is_none());
    }
}
