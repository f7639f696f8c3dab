//! Changes to parts: the warehouse is read as fast as it gives, and then let go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::{RecordBatch, cast::AsArray, types::Int64Type};
use ebb_core::{
    Code, Failure, Operation, PartNumber,
    port::{BatchStream, DiffJob, PartInfo, Parts, Store, Warehouse},
    record::SEQ,
};
use futures_util::{StreamExt, TryStreamExt, stream::Fuse};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Progress;

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

/// What staging reads from and writes to.
pub(crate) struct Staging<'a> {
    pub(crate) warehouse: &'a dyn Warehouse,
    pub(crate) parts: &'a dyn Parts,
    pub(crate) store: &'a dyn Store,
    pub(crate) job: &'a DiffJob,
    pub(crate) operations: &'a [Operation],
    pub(crate) progress: &'a Progress,
    pub(crate) size: PartSize,
}

impl Staging<'_> {
    /// Stages what follows the parts that `already` are there. Stops between two batches when
    /// `stop` says so; then `false` comes back, and the changes table still holds the rest.
    pub(crate) async fn run(
        &self,
        already: &[PartInfo],
        shelf: &Shelf,
        stop: &CancellationToken,
    ) -> Result<bool, Failure> {
        let mut after = already.last().map(|part| part.last);
        let mut number = PartNumber::try_from(already.len()).unwrap_or(PartNumber::MAX);
        let mut stream = self.warehouse.changes(self.job, self.operations, after).await?.fuse();
        let mut rows = self.gather(&mut stream, &mut after, stop).await?;
        while let Some(full) = rows {
            // One part is stored while the next arrives. Both come to their end: a part that is
            // still being written must not meet a later try of itself.
            let (stored, next) = tokio::join!(
                self.close(number, full, shelf),
                self.gather(&mut stream, &mut after, stop)
            );
            stored?;
            rows = next?;
            number += 1;
        }
        Ok(!stop.is_cancelled())
    }

    /// The rows of the next part; `None` at the end, or when loading stops.
    async fn gather(
        &self,
        stream: &mut Fuse<BatchStream>,
        after: &mut Option<u64>,
        stop: &CancellationToken,
    ) -> Result<Option<Rows>, Failure> {
        let mut rows = Rows::default();
        while let Some(batch) = stream.try_next().await? {
            if stop.is_cancelled() {
                return Ok(None);
            }
            *after = in_order(&batch, *after)?.or(*after);
            rows.push(batch);
            if rows.fill(self.size) {
                break;
            }
        }
        Ok((rows.count > 0).then_some(rows))
    }

    async fn close(&self, number: PartNumber, rows: Rows, shelf: &Shelf) -> Result<(), Failure> {
        let part = self.parts.put(self.job.sync, number, rows.batches.clone()).await?;
        self.store.add_part(self.job.sync, &part).await?;
        self.progress.staged(part.changes.total());
        shelf.add(part, rows);
        Ok(())
    }
}

/// The last `seq` of a batch. A resumed staging relies on the order, so it is checked.
fn in_order(batch: &RecordBatch, after: Option<u64>) -> Result<Option<u64>, Failure> {
    let disorder = || Failure::new(Code::SourceLost, "the changes did not arrive in their order");
    let column = batch.column_by_name(SEQ).ok_or_else(disorder)?;
    let seqs = column.as_primitive_opt::<Int64Type>().ok_or_else(disorder)?;
    let mut last = after;
    for seq in seqs.values() {
        let seq = u64::try_from(*seq).map_err(|_| disorder())?;
        if last.is_some_and(|last| seq <= last) {
            return Err(disorder());
        }
        last = Some(seq);
    }
    Ok(last)
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
    use ebb_core::Tally;

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
