//! Changes to parts: the warehouse is read as fast as it gives, and then let go.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, cast::AsArray, types::Int64Type};
use ebb_core::{
    Code, Failure, Operation, PartNumber,
    port::{DiffJob, PartInfo, Parts, Store, Warehouse},
    record::SEQ,
};
use futures_util::TryStreamExt;
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

/// The parts of a sync that are staged so far, for the loader that follows behind.
#[derive(Default)]
pub(crate) struct Shelf {
    state: Mutex<Staged>,
    changed: Notify,
}

#[derive(Default)]
struct Staged {
    parts: Vec<PartInfo>,
    complete: bool,
}

impl Shelf {
    /// A shelf with the parts that an earlier run staged.
    pub(crate) fn with(parts: Vec<PartInfo>, complete: bool) -> Self {
        Self { state: Mutex::new(Staged { parts, complete }), changed: Notify::new() }
    }

    /// The part of a number, waiting until it is staged; `None` if there is none and will be none.
    pub(crate) async fn part(&self, number: usize) -> Option<PartInfo> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(part) = state.parts.get(number) {
                    return Some(part.clone());
                }
                if state.complete {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn add(&self, part: PartInfo) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).parts.push(part);
        self.changed.notify_waiters();
    }

    /// Nothing more will come.
    pub(crate) fn complete(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).complete = true;
        self.changed.notify_waiters();
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
        let mut stream = self.warehouse.changes(self.job, self.operations, after).await?;
        let mut open = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while let Some(batch) = stream.try_next().await? {
            if stop.is_cancelled() {
                return Ok(false);
            }
            after = in_order(&batch, after)?.or(after);
            rows += batch.num_rows();
            bytes += batch.get_array_memory_size();
            open.push(batch);
            if rows >= self.size.rows || bytes >= self.size.bytes {
                self.close(number, std::mem::take(&mut open), shelf).await?;
                (rows, bytes) = (0, 0);
                number += 1;
            }
        }
        if rows > 0 {
            self.close(number, open, shelf).await?;
        }
        Ok(true)
    }

    async fn close(
        &self,
        number: PartNumber,
        batches: Vec<RecordBatch>,
        shelf: &Shelf,
    ) -> Result<(), Failure> {
        let part = self.parts.put(self.job.sync, number, batches).await?;
        self.store.add_part(self.job.sync, &part).await?;
        self.progress.staged(part.changes.total());
        shelf.add(part);
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
