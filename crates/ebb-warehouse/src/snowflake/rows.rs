//! The rows of a result's piece, in the forms in which they come.

use arrow_array::RecordBatch;
use bytes::Bytes;
use ebb_core::{Code, Column, Failure};
use serde::Deserialize;

use super::{decode, logical};
use crate::arrow::Reader;

/// Rows as they came. Cloning shares the bytes.
#[derive(Clone)]
pub(super) enum Rows {
    /// A JSON object that has them as `data`.
    Object(Bytes),
    /// A JSON list.
    List(Bytes),
    /// An Arrow stream; no bytes at all if there are no rows.
    Arrow(Bytes),
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    data: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// The values' text. Fails with `S105` if the rows are in a form that has none.
    pub(super) fn text(&self) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let rows = match self {
            Self::Object(json) => serde_json::from_slice(json).map(|Object { data }| data),
            Self::List(json) => serde_json::from_slice(json),
            Self::Arrow(stream) if stream.is_empty() => Ok(Vec::new()),
            Self::Arrow(_) => return Err(unlike()),
        };
        rows.map_err(|error| unlike().caused_by(error))
    }

    /// Staged batches of these columns.
    pub(super) fn batches(self, columns: &[Column]) -> Result<Vec<RecordBatch>, Failure> {
        match self {
            Self::Object(json) => decode::object(columns, &json),
            Self::List(json) => decode::list(columns, &json),
            Self::Arrow(stream) => {
                let mut reader = Reader::new(columns, "Snowflake");
                let batches = reader.read_as(stream, |batch| logical::plain(batch, columns))?;
                reader.finish().map(|()| batches)
            }
        }
    }
}

/// Rows that are not as they should be.
pub(super) fn unlike() -> Failure {
    Failure::new(Code::SourceQuery, "Snowflake gave rows of another form than it promised")
        .help("Run the sync again")
}
