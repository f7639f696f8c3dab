//! One live session: statements, descriptions and the stream of a query's rows.

use std::{mem, sync::Arc, time::Duration};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use ebb_core::{Column, Failure, port::BatchStream};
use futures_util::stream;
use mysql_async::{Conn, Error, Params, Row, Value, prelude::Queryable};
use roaring::RoaringTreemap;
use tokio::{
    runtime::Handle,
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    connection::Connector,
    dialect::quoted,
    failure,
    stage::{Batch, Malformed},
    types,
};
use crate::connection::Session;

/// How long a request to end a session may take.
const KILL: Duration = Duration::from_secs(10);
/// Rows of one statement when rows are loaded.
const LOAD_ROWS: usize = 10_000;
/// Batches that wait between the server and the reader; the server waits when it is full.
const WAITING: usize = 2;
/// The longest time-out: as good as none.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// A session. Dropped while the server works for it, it is ended at the server.
pub(super) struct MysqlSession {
    /// Gone once a stream has taken it.
    conn: Option<Conn>,
    /// The session's number at the server.
    number: u32,
    /// Whether the server may still work for this session.
    busy: bool,
    /// What the session works for, as a comment before its statements; empty until somebody says so.
    label: String,
    runtime: Handle,
    connector: Arc<Connector>,
}

/// Statements that a server may refuse to prepare.
const NEVER_PREPARED: [&str; 2] = ["start transaction", "commit"];

impl MysqlSession {
    pub(super) fn new(conn: Conn, connector: Arc<Connector>) -> Self {
        let number = conn.id();
        let (label, runtime) = (String::new(), Handle::current());
        Self { conn: Some(conn), number, busy: false, label, runtime, connector }
    }

    /// A statement with its label. The server keeps it in its lists and logs, and counts places in a
    /// text by lines, which stay the same.
    fn labelled(&self, sql: &str) -> String {
        format!("{}{sql}", self.label)
    }

    /// Runs a statement of Ebb's own that gives no rows.
    pub(super) async fn set(&mut self, statement: &str) -> Result<(), Failure> {
        self.run(async |conn| conn.query_drop(statement).await).await
    }

    /// Runs a statement that a user may be forbidden; nothing happens then.
    pub(super) async fn try_set(&mut self, statement: &str) -> Result<(), Failure> {
        self.run(async |conn| match conn.query_drop(statement).await {
            Err(Error::Server(_)) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }

    /// Works with the connection. A session whose future is dropped, or that takes too long, stays
    /// busy.
    async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Conn) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let connector = &self.connector;
        let Some(conn) = &mut self.conn else {
            return Err(failure::lost("the session was given up"));
        };
        self.busy = true;
        let done = timeout(limit(connector), work(conn)).await;
        let done = done.map_err(|_| failure::timed_out(&connector.settings))?;
        self.busy = false;
        done.map_err(|error| connector.failed(error))
    }
}

/// How long one statement may take. The server's own limit comes first, where it has one.
fn limit(connector: &Connector) -> Duration {
    const GRACE: Duration = Duration::from_secs(5);
    let limit = connector.settings.statement_timeout;
    if limit.is_zero() { FOREVER } else { (limit + GRACE).min(FOREVER) }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        ),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Double(number) => Some(number.to_string()),
        // Never of a query that is sent as text.
        moment @ (Value::Date(..) | Value::Time(..)) => Some(moment.as_sql(true)),
    }
}

#[async_trait]
impl Session for MysqlSession {
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        self.label = format!("/* {} */ ", label.replace("*/", ""));
        Ok(())
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        if NEVER_PREPARED.contains(&sql) {
            self.set(sql).await?;
            return Ok(0);
        }
        let sql = self.labelled(sql);
        self.run(async |conn| {
            // A prepared statement is one statement, whatever stands in a model.
            let statement = conn.prep(sql).await?;
            let result = conn.exec_iter(&statement, Params::Empty).await?;
            let rows = result.affected_rows();
            result.drop_result().await?;
            conn.close(statement).await?;
            Ok(rows)
        })
        .await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let sql = self.labelled(sql);
        let rows: Vec<Row> = self.run(async |conn| conn.query(sql).await).await?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect())
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let statement = self
            .run(async |conn| {
                let statement = conn.prep(query).await?;
                let described = (statement.num_params(), statement.columns());
                conn.close(statement).await?;
                Ok(described)
            })
            .await?;
        let (placeholders, columns) = statement;
        if placeholders > 0 {
            return Err(failure::with_placeholders());
        }
        Ok(columns.iter().map(types::column).collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        // The table lies in the managed database, where its user may make tables for sure.
        let managed = quoted(&self.connector.settings.managed_schema);
        self.set(&format!("use {managed}")).await?;
        self.set(&format!("drop temporary table if exists {table}")).await?;
        self.set(&format!(
            "create temporary table {table} (seq bigint not null primary key) engine=InnoDB"
        ))
        .await?;
        let mut seqs = seqs.iter();
        loop {
            let rows: Vec<String> =
                seqs.by_ref().take(LOAD_ROWS).map(|seq| format!("({seq})")).collect();
            if rows.is_empty() {
                return Ok(());
            }
            let insert = format!("insert into {table} values {}", rows.join(","));
            self.set(&self.labelled(&insert)).await?;
        }
    }

    async fn stream(
        mut self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        // A query that cannot be prepared fails here, before a stream is promised.
        let sql = self.labelled(&sql);
        let statement = self.run(async |conn| conn.prep(sql).await).await?;
        let Some(mut conn) = self.conn.take() else {
            return Err(failure::lost("the session was given up"));
        };
        let connector = Arc::clone(&self.connector);
        let number = self.number;
        let (sender, receiver) = mpsc::channel(WAITING);
        let reading = async move {
            let ended = {
                let reading = read(&mut conn, statement, &columns, &sender, &connector);
                tokio::select! {
                    ended = reading => ended,
                    () = sender.closed() => Err(Unfinished::Unwanted),
                }
            };
            match ended {
                Ok(()) => {
                    conn.disconnect().await.ok();
                }
                Err(unfinished) => {
                    // The server works on until it is told to stop.
                    timeout(KILL, connector.kill(number)).await.ok();
                    if let Unfinished::Failed(failure) = unfinished {
                        sender.send(Err(failure)).await.ok();
                    }
                }
            }
        };
        self.connector.spawn(reading, &self.runtime);
        Ok(Box::pin(stream::unfold(receiver, async |mut receiver| {
            let batch = receiver.recv().await?;
            Some((batch, receiver))
        })))
    }
}

/// Why a stream ended before its rows did.
enum Unfinished {
    /// Nobody takes its batches any more.
    Unwanted,
    Failed(Failure),
}

impl From<Failure> for Unfinished {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Malformed> for Unfinished {
    fn from(malformed: Malformed) -> Self {
        Self::Failed(failure::lost(malformed.to_string()).caused_by(malformed))
    }
}

/// Reads the rows of a statement and hands them over as batches. The time-out is for the rows of one
/// batch; the reader's own time does not count.
async fn read(
    conn: &mut Conn,
    statement: mysql_async::Statement,
    columns: &[Column],
    sender: &mpsc::Sender<Result<RecordBatch, Failure>>,
    connector: &Connector,
) -> Result<(), Unfinished> {
    let lost = |error| Unfinished::Failed(connector.failed(error));
    let late = |_| Unfinished::Failed(failure::timed_out(&connector.settings));
    let limit = limit(connector);
    let mut deadline = Instant::now() + limit;
    let mut batch = Batch::new(columns);
    let executed = timeout_at(deadline, conn.exec_iter(statement, Params::Empty));
    let mut rows = executed.await.map_err(late)?.map_err(lost)?;
    while let Some(row) = timeout_at(deadline, rows.next()).await.map_err(late)?.map_err(lost)? {
        batch.push(row)?;
        if batch.is_full() {
            let full = batch.take()?;
            sender.send(Ok(full)).await.map_err(|_| Unfinished::Unwanted)?;
            deadline = Instant::now() + limit;
        }
    }
    if let Some(last) = batch.last()? {
        sender.send(Ok(last)).await.map_err(|_| Unfinished::Unwanted)?;
    }
    batch.tell_losses();
    Ok(())
}

impl Drop for MysqlSession {
    fn drop(&mut self) {
        let busy = mem::take(&mut self.busy);
        let Some(conn) = self.conn.take() else { return };
        let (connector, number) = (Arc::clone(&self.connector), self.number);
        let ended = async move {
            if busy {
                if timeout(KILL, connector.kill(number)).await.is_err() {
                    tracing::debug!("ending a session took too long");
                }
                drop(conn);
            } else {
                conn.disconnect().await.ok();
            }
        };
        self.connector.spawn(ended, &self.runtime);
    }
}
