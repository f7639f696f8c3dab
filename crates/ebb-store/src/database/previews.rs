//! First records of models, kept for some minutes: who looks again costs the warehouse nothing.

use arrow_array::RecordBatch;
use arrow_ipc::{reader::StreamReader, writer::StreamWriter};
use arrow_schema::ArrowError;
use ebb_core::Failure;
use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use super::{Database, Fault, people::moment, sql::params};

impl Database {
    /// The preview that was kept under this key since a moment, and when it was read.
    pub async fn preview(
        &self,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<(Timestamp, RecordBatch)>, Failure> {
        let key = digest(key);
        self.read(move |transaction| {
            let query = "select read_at, rows from preview where key = ?1 and read_at >= ?2";
            transaction.query_optional(query, params![key, since.as_microsecond()], |row| {
                Ok((moment(row.get(0)?)?, rows(row.get(1)?).map_err(content)?))
            })
        })
        .await
    }

    /// Keeps a preview under a key, which is everything that it depends on, and forgets all that were
    /// read before `oldest`.
    pub async fn keep_preview(
        &self,
        key: &str,
        read_at: Timestamp,
        rows: &RecordBatch,
        oldest: Timestamp,
    ) -> Result<(), Failure> {
        let key = digest(key);
        let bytes = bytes(rows).map_err(|error| content(error).told(&self.place))?;
        self.write(move |transaction, _| {
            let forget = "delete from preview where read_at < ?1";
            transaction.execute(forget, params![oldest.as_microsecond()])?;
            let keep = "insert into preview (key, read_at, rows) values (?1, ?2, ?3)
                        on conflict (key) do update
                        set read_at = excluded.read_at, rows = excluded.rows";
            transaction.execute(keep, params![key, read_at.as_microsecond(), bytes])?;
            Ok(())
        })
        .await
    }
}

/// Keys hold queries and settings; only their digest is kept.
fn digest(key: &str) -> String {
    format!("{:032x}", xxh3_128(key.as_bytes()))
}

fn content(error: impl Into<ebb_core::failure::BoxError>) -> Fault {
    Fault::Content(error.into())
}

fn bytes(rows: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema())?;
    writer.write(rows)?;
    writer.into_inner()
}

fn rows(bytes: &[u8]) -> Result<RecordBatch, ArrowError> {
    let mut batches = StreamReader::try_new(bytes, None)?;
    batches.next().unwrap_or_else(|| Err(ArrowError::IpcError("no rows".to_owned())))
}
