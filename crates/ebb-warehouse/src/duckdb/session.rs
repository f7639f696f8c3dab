//! One connection to the open database, whose blocking calls run on threads of their own.

use std::time::Duration;

use async_trait::async_trait;
use duckdb::{Connection as Driver, types::ValueRef};
use ebb_core::{Code, Column, Failure, port::BatchStream};
use roaring::RoaringTreemap;

use super::{connection::Lease, stage, types};
use crate::{blocking::Blocking, connection::Session};

/// A connection and its share in the open file.
pub(super) struct Live {
    /// Dropped first: the file closes with the last share.
    driver: Driver,
    _lease: Lease,
}

pub(super) struct DuckSession(Blocking<Live>);

impl DuckSession {
    pub(super) fn new(driver: Driver, lease: Lease, timeout: Option<Duration>) -> Self {
        let interrupt = driver.interrupt_handle();
        let live = Live { driver, _lease: lease };
        Self(Blocking::new(live, move || interrupt.interrupt(), timeout))
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Driver) -> duckdb::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.run(|live| work(&live.driver).map_err(failed)).await
    }
}

#[async_trait]
impl Session for DuckSession {
    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let sql = sql.to_owned();
        self.run(move |driver| driver.execute(&sql, []).map(|rows| rows as u64)).await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let sql = sql.to_owned();
        self.run(move |driver| {
            let mut statement = driver.prepare(&sql)?;
            let mut cursor = statement.query([])?;
            let mut rows = Vec::new();
            while let Some(row) = cursor.next()? {
                let columns = row.as_ref().column_count();
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
        let rows = self.rows(&format!("describe {query}")).await?;
        let column = |row: Vec<Option<String>>| {
            let mut values = row.into_iter().flatten();
            Some(types::column(&values.next()?, &values.next()?))
        };
        Ok(rows.into_iter().filter_map(column).collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        /// Numbers of one statement.
        const CHUNK: usize = 8192;
        let table = table.to_owned();
        let seqs = seqs.clone();
        self.run(move |driver| {
            driver.execute_batch(&format!(
                "create or replace temporary table {table} (seq bigint)"
            ))?;
            let mut rest = seqs.iter().peekable();
            while rest.peek().is_some() {
                let chunk: Vec<_> = rest.by_ref().take(CHUNK).map(|seq| seq.to_string()).collect();
                let chunk = chunk.join(", ");
                driver.execute_batch(&format!("insert into {table} select unnest([{chunk}])"))?;
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
        self.run(move |driver| driver.prepare(&check).map(drop)).await?;
        self.0.stream(move |live, send| stage::stream(&live.driver, &sql, &columns, send))
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "Ebb's small queries give nothing else")]
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Boolean(value) => Some(value.to_string()),
        ValueRef::Int(number) => Some(number.to_string()),
        ValueRef::BigInt(number) => Some(number.to_string()),
        ValueRef::HugeInt(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}

/// What the engine says of an error.
pub(super) fn message(error: &duckdb::Error) -> String {
    if let duckdb::Error::DuckDBFailure(_, Some(message)) = error {
        message.clone()
    } else {
        error.to_string()
    }
}

/// The failure of a statement.
pub(super) fn failed(error: duckdb::Error) -> Failure {
    let text = message(&error);
    let is = |kind: &str| text.starts_with(kind);
    let failure = if is("INTERRUPT") {
        Failure::new(Code::SourceLost, "the statement was stopped")
    } else if is("Out of Memory") || text.contains("No space left") {
        Failure::new(Code::SourceFull, format!("DuckDB has no room left: {text}"))
    } else if is("IO Error") || is("FATAL") {
        Failure::new(Code::SourceLost, format!("DuckDB cannot read or write: {text}"))
    } else if is("Permission Error") {
        Failure::new(Code::SourcePermission, format!("DuckDB refused: {text}"))
    } else {
        Failure::new(Code::SourceQuery, format!("DuckDB refused the SQL: {text}"))
    };
    failure.caused_by(error)
}
