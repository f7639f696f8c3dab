//! One SQLite connection, whose blocking calls run on threads of their own.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ebb_core::{Code, Column, ColumnKind, Failure, port::BatchStream};
use roaring::RoaringTreemap;
use rusqlite::{Connection as Driver, ErrorCode, InterruptHandle, types::ValueRef};
use tokio::{task::spawn_blocking, time::timeout};

use super::stage;
use crate::{
    connection::{SEQS, Session},
    file::{self, stopped},
};

pub(super) struct SqliteSession {
    /// Gone while a call runs, and for good when its future was dropped.
    connection: Option<Driver>,
    interrupt: Arc<InterruptHandle>,
    timeout: Option<Duration>,
}

/// Stops the running statement unless it has ended.
struct InterruptOnDrop(Option<Arc<InterruptHandle>>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if let Some(interrupt) = &self.0 {
            interrupt.interrupt();
        }
    }
}

impl SqliteSession {
    pub(super) fn new(connection: Driver, timeout: Option<Duration>) -> Self {
        let interrupt = Arc::new(connection.get_interrupt_handle());
        Self { connection: Some(connection), interrupt, timeout }
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Driver) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut connection = self.connection.take().ok_or_else(|| {
            Failure::new(Code::SourceLost, "the session of the source was given up")
        })?;
        let mut guard = InterruptOnDrop(Some(Arc::clone(&self.interrupt)));
        let task = spawn_blocking(move || {
            let outcome = work(&mut connection);
            (connection, outcome)
        });
        let joined = match self.timeout {
            None => task.await,
            Some(limit) => timeout(limit, task).await.map_err(|_| {
                let limit = limit.as_secs();
                Failure::new(
                    Code::SourceTimeout,
                    format!("a statement took longer than `{limit}` seconds"),
                )
            })?,
        };
        guard.0 = None;
        let (connection, outcome) = joined.map_err(stopped)?;
        self.connection = Some(connection);
        outcome.map_err(failed)
    }
}

#[async_trait]
impl Session for SqliteSession {
    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let sql = sql.to_owned();
        self.run(move |connection| {
            connection.execute(&sql, []).map(|rows| u64::try_from(rows).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let sql = sql.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare(&sql)?;
            let columns = statement.column_count();
            let mut cursor = statement.query([])?;
            let mut rows = Vec::new();
            while let Some(row) = cursor.next()? {
                rows.push(
                    (0..columns)
                        .map(|place| row.get_ref(place).map(text))
                        .collect::<Result<_, _>>()?,
                );
            }
            Ok(rows)
        })
        .await
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let query = query.to_owned();
        self.run(move |connection| {
            let statement = connection.prepare(&query)?;
            let describe = |column: rusqlite::Column<'_>| {
                let native = column.decl_type().unwrap_or("any").to_owned();
                Column::new(column.name(), ColumnKind::Json, native)
            };
            Ok(statement.columns().map(describe).collect())
        })
        .await
    }

    async fn load_seqs(&mut self, seqs: &RoaringTreemap) -> Result<(), Failure> {
        let seqs = seqs.clone();
        self.run(move |connection| {
            connection.execute_batch(&format!(
                "drop table if exists temp.{SEQS}; \
                 create temporary table {SEQS} (seq integer primary key)"
            ))?;
            let mut insert = connection.prepare(&format!("insert into temp.{SEQS} values (?1)"))?;
            for seq in &seqs {
                insert.execute([seq.cast_signed()])?;
            }
            Ok(())
        })
        .await
    }

    async fn stream(
        mut self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        // A query that cannot be prepared fails here, before a stream is promised.
        let check = sql.clone();
        self.run(move |connection| connection.prepare(&check).map(drop)).await?;
        let Some(connection) = self.connection.take() else {
            return Err(Failure::new(Code::SourceLost, "the session of the source was given up"));
        };
        Ok(file::stream(move |send| stage::stream(&connection, &sql, &columns, send)))
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// The failure of a statement.
pub(super) fn failed(error: rusqlite::Error) -> Failure {
    let message = if let rusqlite::Error::SqlInputError { msg, .. } = &error {
        msg.clone()
    } else {
        error.to_string()
    };
    let failure = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Failure::new(Code::SourceTimeout, "the SQLite database is locked by another program")
                .help("Let the other program end its transaction, then run the sync again")
        }
        Some(ErrorCode::OperationInterrupted) => {
            Failure::new(Code::SourceLost, "the statement was stopped")
        }
        Some(ErrorCode::DiskFull) => {
            Failure::new(Code::SourceFull, format!("SQLite has no room left: {message}"))
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            Failure::new(Code::SourcePermission, format!("SQLite refused to write: {message}"))
                .help("Let the user who runs Ebb write in the folder of the source's file")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Failure::new(Code::SourceUnreachable, format!("SQLite cannot read the file: {message}"))
                .help("Check the file with `pragma integrity_check` in SQLite's own client")
        }
        Some(ErrorCode::SystemIoFailure) => {
            Failure::new(Code::SourceLost, format!("SQLite cannot read or write: {message}"))
        }
        _ => Failure::new(Code::SourceQuery, format!("SQLite refused the SQL: {message}")),
    };
    failure.caused_by(error)
}
