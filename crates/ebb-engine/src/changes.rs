//! The changes of a sync in their order, however often the source goes away meanwhile.

use arrow_array::{RecordBatch, cast::AsArray, types::Int64Type};
use ebb_core::{
    Code, Failure, Operation,
    port::{BatchStream, DiffJob, Warehouse},
    record::SEQ,
};
use futures_util::{StreamExt, TryStreamExt, stream::Fuse};

use crate::again::Again;

/// Changes that are read one batch after the other.
pub(crate) struct Changes<'a> {
    warehouse: &'a dyn Warehouse,
    job: &'a DiffJob,
    operations: &'a [Operation],
    again: &'a Again,
    /// The last `seq` that was read.
    after: Option<u64>,
    /// Open from the first read on, until it fails.
    stream: Option<Fuse<BatchStream>>,
}

impl<'a> Changes<'a> {
    /// The changes of some operations with `seq > after`. Nothing is read yet.
    pub(crate) fn new(
        warehouse: &'a dyn Warehouse,
        job: &'a DiffJob,
        operations: &'a [Operation],
        after: Option<u64>,
        again: &'a Again,
    ) -> Self {
        Self { warehouse, job, operations, again, after, stream: None }
    }

    /// The next batch; `None` after the last, however often it is asked for. A stream that breaks goes
    /// on behind what it gave.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Failure> {
        let mut asked = 0;
        loop {
            match self.read().await {
                Ok(batch) => return Ok(batch),
                Err(failure) => {
                    self.stream = None;
                    self.again.wait(failure, &mut asked).await?;
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Option<RecordBatch>, Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let opened = self.warehouse.changes(self.job, self.operations, self.after).await?;
                none.insert(opened.fuse())
            }
        };
        let Some(batch) = stream.try_next().await? else { return Ok(None) };
        self.after = in_order(&batch, self.after)?.or(self.after);
        Ok(Some(batch))
    }
}

/// The last `seq` of a batch. Who goes on behind it relies on the order, so it is checked.
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
