//! The rows of one stream: a stream that breaks off goes on after its last row.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use ebb_core::{Column, Failure};

use super::{
    attempts::Attempts,
    call::{Answers, Broken, Method},
    messages::{ReadRowsRequest, ReadRowsResponse},
};
use crate::{arrow::Reader, bigquery::client::Client};

pub(super) const READ_ROWS: Method = Method { name: "ReadRows", routed_by: "read_stream" };

/// A stream while it is read.
pub(super) struct Rows {
    client: Arc<Client>,
    /// The stream's name.
    name: String,
    reader: Reader,
    /// How many rows came.
    had: u64,
    answers: Option<Answers<ReadRowsResponse>>,
    attempts: Attempts,
}

impl Rows {
    /// The rows of a stream; `schema` is the one of its session.
    pub(super) fn new(
        client: Arc<Client>,
        name: String,
        schema: Bytes,
        columns: &[Column],
    ) -> Result<Self, Failure> {
        let mut reader = Reader::new(columns, "BigQuery");
        reader.read(schema)?;
        Ok(Self { client, name, reader, had: 0, answers: None, attempts: Attempts::default() })
    }

    /// The next batches with any row, and what is left of the stream; nothing at its end.
    pub(super) async fn next(mut self) -> Result<Option<(Vec<RecordBatch>, Self)>, Failure> {
        loop {
            match self.answer().await {
                Ok(None) => return Ok(None),
                Ok(Some(answer)) => {
                    let Some(message) = answer.arrow_record_batch else { continue };
                    let batches = self.reader.read(message.serialized_record_batch)?;
                    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                    if rows > 0 {
                        self.had += rows as u64;
                        self.attempts = Attempts::default();
                        return Ok(Some((batches, self)));
                    }
                }
                Err(broken) => {
                    self.answers = None;
                    self.client.wait_after(broken, &mut self.attempts).await?;
                }
            }
        }
    }

    async fn answer(&mut self) -> Result<Option<ReadRowsResponse>, Broken> {
        if let Some(answers) = &mut self.answers {
            return answers.next().await;
        }
        let request = ReadRowsRequest {
            read_stream: self.name.clone(),
            offset: i64::try_from(self.had).unwrap_or(i64::MAX),
        };
        let answers = self.client.call(READ_ROWS, &self.name, &request).await?;
        self.answers.insert(answers).next().await
    }
}
