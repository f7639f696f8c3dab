//! One live session: statements, descriptions and the stream of a query's rows.

use std::{fmt::Write, sync::Arc, time::Duration};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use ebb_core::{Code, Column, Failure, port::BatchStream};
use futures_util::{TryStreamExt, stream};
use roaring::RoaringTreemap;
use tiberius::{QueryItem, error::Error};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    connection::{Connector, Driver},
    dialect::{Product, literal},
    failure,
    stage::{Batch, Malformed, text},
    types,
};
use crate::connection::Session;

/// Rows that one statement takes as values, and those that it takes in a pool of Synapse.
const LOAD_ROWS: (usize, usize) = (1000, 200);
/// Batches that wait between the server and the reader; the server waits when it is full.
const WAITING: usize = 2;
/// Bytes that the server keeps as a session's context.
const CONTEXT: usize = 128;
/// The longest time-out: as good as none.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// A session. The server ends what a session runs, and rolls back, when its connection closes.
pub(super) struct AzureSession {
    /// Gone while it works, and for good when that was not waited for, or once a stream has taken it.
    driver: Option<Driver>,
    connector: Arc<Connector>,
    /// What statements in a pool of Synapse are labelled with.
    label: String,
}

impl AzureSession {
    pub(super) fn new(driver: Driver, connector: Arc<Connector>) -> Self {
        Self { driver: Some(driver), connector, label: "ebb".to_owned() }
    }

    /// Runs statements that must stand for themselves: settings, transactions, temporary tables.
    pub(super) async fn set(&mut self, statements: &str) -> Result<(), Failure> {
        self.run(async |driver| {
            driver.simple_query(statements).await?.into_results().await?;
            Ok(())
        })
        .await
    }

    /// Works with the driver. A session whose future is dropped, or that takes too long, is given up.
    async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Driver) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let mut driver = self.driver.take().ok_or_else(|| failure::lost("it was given up"))?;
        let limit = limit(&self.connector);
        let done = timeout(limit, work(&mut driver)).await;
        let done = done.map_err(|_| failure::timed_out(&self.connector.settings))?;
        self.driver = Some(driver);
        done.map_err(|error| self.connector.failed(error))
    }

    /// A statement with its label, where the server keeps one.
    fn labelled(&self, sql: &str) -> String {
        const TAKE_ONE: [&str; 6] =
            ["select", "with", "insert", "update", "delete", "create table"];
        let is_one = TAKE_ONE.iter().any(|word| sql.starts_with(word));
        // A table without a query takes none.
        let is_empty = sql.starts_with("create table") && !sql.contains(" as\n");
        if self.connector.product() == Product::Synapse && is_one && !is_empty {
            format!("{sql}\noption (label = {})", literal(&self.label))
        } else {
            sql.to_owned()
        }
    }
}

/// How long one statement may take; the server has no limit of its own.
fn limit(connector: &Connector) -> Duration {
    let limit = connector.settings.statement_timeout;
    if limit.is_zero() { FOREVER } else { limit.min(FOREVER) }
}

#[async_trait]
impl Session for AzureSession {
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        label.clone_into(&mut self.label);
        if self.connector.product() == Product::Synapse {
            return Ok(());
        }
        let context = label.get(..label.floor_char_boundary(CONTEXT)).unwrap_or_default();
        let mut statement = "set context_info 0x".to_owned();
        for byte in context.bytes() {
            write!(statement, "{byte:02x}").expect("a text takes any text");
        }
        self.set(&statement).await
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        if sql.ends_with(" transaction") {
            // What begins a transaction must not be a procedure, as every other statement is.
            self.set(sql).await?;
            return Ok(0);
        }
        let sql = self.labelled(sql);
        self.run(async |driver| Ok(driver.execute(sql, &[]).await?.total())).await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let sql = self.labelled(sql);
        let rows =
            self.run(async |driver| driver.simple_query(sql).await?.into_first_result().await);
        Ok(rows.await?.into_iter().map(|row| row.into_iter().map(text).collect()).collect())
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let sql = format!("exec sp_describe_first_result_set @tsql = {}", literal(query));
        let rows = self
            .run(async |driver| driver.simple_query(sql).await?.into_first_result().await)
            .await?;
        rows.iter()
            .map(|row| {
                let text = |name| row.try_get::<&str, _>(name).ok().flatten();
                // The types of shapes and the like are told as a user's.
                let native = text("system_type_name").or_else(|| text("user_type_name"));
                match (text("name").filter(|name| !name.is_empty()), native) {
                    (Some(name), Some(native)) => Ok(types::column(name, native)),
                    (_, _) => Err(nameless()),
                }
            })
            .collect()
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        let synapse = self.connector.product() == Product::Synapse;
        let mut seqs = seqs.iter();
        if synapse {
            self.set(&format!(
                "if object_id({}) is not null drop table {table}; \
                 create table {table} (seq bigint not null) with (distribution = round_robin, heap)",
                literal(table)
            ))
            .await?;
        } else {
            self.set(&format!("drop table if exists {table}")).await?;
            self.set(&format!("create table {table} (seq bigint not null)")).await?;
        }
        loop {
            let (rows, separator, before) = if synapse {
                (LOAD_ROWS.1, " union all ", "")
            } else {
                (LOAD_ROWS.0, ", ", "values ")
            };
            let row = |seq| if synapse { format!("select {seq}") } else { format!("({seq})") };
            let values: Vec<String> = seqs.by_ref().take(rows).map(row).collect();
            if values.is_empty() {
                return Ok(());
            }
            let values = values.join(separator);
            self.set(&format!("insert into {table} (seq) {before}{values}")).await?;
        }
    }

    async fn stream(
        mut self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let sql = self.labelled(&sql);
        let driver = self.driver.take().ok_or_else(|| failure::lost("it was given up"))?;
        let connector = Arc::clone(&self.connector);
        let (sender, receiver) = mpsc::channel(WAITING);
        let reading = async move {
            // Whether it ends or nobody reads any more: the connection closes with it.
            tokio::select! {
                ended = read(driver, sql, &columns, &sender, &connector) => {
                    if let Err(Unfinished::Failed(failure)) = ended {
                        sender.send(Err(failure)).await.ok();
                    }
                }
                () = sender.closed() => {}
            }
        };
        self.connector.spawn(reading);
        let mut receiver = receiver;
        // A query that the server refuses fails here, before a stream is promised.
        let first = match receiver.recv().await {
            Some(Err(failure)) => return Err(failure),
            Some(Ok(batch)) => Some(batch),
            None => None,
        };
        let rest = stream::unfold(receiver, async |mut receiver| {
            let batch = receiver.recv().await?;
            Some((batch, receiver))
        });
        let first = stream::iter(first.map(Ok));
        Ok(Box::pin(futures_util::StreamExt::chain(first, rest)))
    }
}

fn nameless() -> Failure {
    Failure::new(Code::ModelColumns, "a column of the model has no name")
        .help("Give it one with `AS`")
}

/// Why a stream ended before its rows did.
enum Unfinished {
    /// Nobody takes its batches any more.
    Unwanted,
    Failed(Failure),
}

impl From<Malformed> for Unfinished {
    fn from(malformed: Malformed) -> Self {
        Self::Failed(failure::lost(malformed.to_string()).caused_by(malformed))
    }
}

/// Reads the rows of a query and hands them over as batches. The time-out is for the rows of one batch;
/// the reader's own time does not count.
async fn read(
    mut driver: Driver,
    sql: String,
    columns: &[Column],
    sender: &mpsc::Sender<Result<RecordBatch, Failure>>,
    connector: &Connector,
) -> Result<(), Unfinished> {
    let lost = |error| Unfinished::Failed(connector.failed(error));
    let late = |_| Unfinished::Failed(failure::timed_out(&connector.settings));
    let limit = limit(connector);
    let mut deadline = from_now(limit);
    let mut batch = Batch::new(columns);
    let executed = timeout_at(deadline, driver.simple_query(sql)).await;
    let mut items = executed.map_err(late)?.map_err(lost)?;
    while let Some(item) =
        timeout_at(deadline, items.try_next()).await.map_err(late)?.map_err(lost)?
    {
        let QueryItem::Row(row) = item else { continue };
        batch.push(row)?;
        if batch.is_full() {
            let full = batch.take()?;
            sender.send(Ok(full)).await.map_err(|_| Unfinished::Unwanted)?;
            deadline = from_now(limit);
        }
    }
    if let Some(last) = batch.last()? {
        sender.send(Ok(last)).await.map_err(|_| Unfinished::Unwanted)?;
    }
    Ok(())
}

fn from_now(limit: Duration) -> Instant {
    Instant::now() + limit
}
