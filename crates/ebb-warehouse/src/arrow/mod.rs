//! Rows that come as Arrow: from the bytes of an IPC stream, and into the form of staged batches.

mod reader;
mod typed;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use ebb_core::{Code, Failure};

pub(crate) use reader::Reader;

/// The columns of a result as a batch of `record::staged_schema`, by their places: names do not matter.
/// Values are those of the staged types already, but for what an engine says beside (a time zone's name,
/// wider offsets), or what is staged as text (exact numbers, times of day, whole numbers); NaN and infinities
/// become null. Fails with `S105` for any other type.
pub(crate) fn staged(
    columns: &[ArrayRef],
    schema: &SchemaRef,
    service: &str,
) -> Result<RecordBatch, Failure> {
    let columns: Vec<_> = columns
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| typed::typed(column, field.data_type()))
        .collect();
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| unexpected(service, error))
}

fn unexpected(service: &str, error: ArrowError) -> Failure {
    let message = format!("{service} gave rows of another form than it promised");
    Failure::new(Code::SourceQuery, message).help("Run the sync again").caused_by(error)
}
