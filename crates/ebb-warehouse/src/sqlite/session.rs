//! One SQLite connection, whose blocking calls run on threads of their own.

use std::time::Duration;

use async_trait::async_trait;
use ebb_core::{Code, Column, ColumnKind, Failure, port::BatchStream};
use roaring::RoaringTreemap;
use rusqlite::{Connection as Driver, ErrorCode, types::ValueRef};

use super::stage;
use crate::{blocking::Blocking, connection::Session};

pub(super) struct SqliteSession(Blocking<Driver>);

impl SqliteSession {
    pub(super) fn new(connection: Driver, timeout: Option<Duration>) -> Self {
        let interrupt = connection.get_interrupt_handle();
        Self(Blocking::new(connection, move || interrupt.interrupt(), timeout))
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Driver) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.run(|connection| work(connection).map_err(failed)).await
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

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        let table = table.to_owned();
        let seqs = seqs.clone();
        self.run(move |connection| {
            connection.execute_batch(&format!(
                "drop table if exists temp.{table}; \
                 create temporary table {table} (seq integer primary key)"
            ))?;
            let mut insert =
                connection.prepare(&format!("insert into temp.{table} values (?1)"))?;
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
        self.0.stream(move |connection, send| stage::stream(connection, &sql, &columns, send))
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
