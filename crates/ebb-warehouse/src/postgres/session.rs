//! One live session: statements, descriptions and the stream of a copy.

use std::{mem, pin::Pin, sync::Arc, time::Duration};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use ebb_core::{Code, Column, Failure, port::BatchStream, record::staged_schema};
use futures_util::{SinkExt, StreamExt, pin_mut, stream};
use roaring::RoaringTreemap;
use tokio::{runtime::Handle, task::AbortHandle};
use tokio_postgres::{Client, CopyOutStream, Error, SimpleQueryMessage, types::Type};

use super::{
    connection::{Cancel, Connected, Connector},
    copy::{Decoder, Format, Malformed, Reader},
    dialect::remember_rows,
    failure, types,
};
use crate::connection::{SEQS, Session};

/// How long a cancel request may take before the socket is closed without it.
const CANCEL: Duration = Duration::from_secs(5);
/// Bytes of one message to the server when rows are loaded.
const LOAD_BYTES: usize = 64 * 1024;

/// A session. Dropped while the server works for it, it cancels that work.
pub(super) struct PostgresSession {
    client: Client,
    driver: AbortHandle,
    cancel: Cancel,
    /// Whether the server may still work for this session.
    busy: bool,
    runtime: Handle,
    connector: Arc<Connector>,
}

impl PostgresSession {
    pub(super) fn new(connected: Connected, connector: Arc<Connector>) -> Self {
        let Connected { client, driver, cancel } = connected;
        Self { client, driver, cancel, busy: false, runtime: Handle::current(), connector }
    }

    /// Runs statements that give no rows.
    pub(super) async fn set(&mut self, statements: &str) -> Result<(), Failure> {
        self.busy = true;
        let done = self.client.batch_execute(statements).await;
        self.settle(done, None).await
    }

    /// Runs a statement that a server may lack; nothing happens then.
    pub(super) async fn try_set(&mut self, statement: &str) -> Result<(), Failure> {
        self.busy = true;
        let done = self.client.batch_execute(statement).await;
        if done.as_ref().is_err_and(|error| error.as_db_error().is_some()) {
            self.busy = false;
            return Ok(());
        }
        self.settle(done, None).await
    }

    /// The server's answer is here: it no longer works for this session.
    async fn settle<T>(
        &mut self,
        answer: Result<T, Error>,
        model: Option<&str>,
    ) -> Result<T, Failure> {
        self.busy = false;
        match answer {
            Ok(value) => Ok(value),
            Err(error) => Err(self.explain(error, model).await),
        }
    }

    async fn explain(&self, error: Error, model: Option<&str>) -> Failure {
        let failure = failure::running(&error, &self.connector.settings, model);
        let relation = error.as_db_error().and_then(|answer| failure::denied(answer.message()));
        let failure = match (failure.code, relation) {
            // Only another session can look: in this one a transaction may have failed.
            (Code::SourcePermission, Some(denied)) if denied.is_relation() => {
                let schema = self.connector.schema_of(denied.name).await;
                failure::permission(&denied, &self.connector.settings, schema.as_deref())
            }
            _ => failure,
        };
        failure.caused_by(error)
    }

    async fn simple(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Failure> {
        self.busy = true;
        let answer = self.client.simple_query(sql).await;
        self.settle(answer, None).await
    }

    async fn copy(&mut self, sql: &str, columns: &[Column]) -> Result<Copying, Failure> {
        // Workers would mix the order of the rows.
        self.set("set max_parallel_workers_per_gather = 0").await?;
        self.busy = true;
        let described = self.client.prepare(sql).await;
        let described = self.settle(described, None).await?;
        let natives: Vec<Type> =
            described.columns().iter().map(|column| column.type_().clone()).collect();
        let decoder = decoder(columns, &natives)?;
        self.busy = true;
        let rows =
            self.client.copy_out(&format!("copy (\n{sql}\n) to stdout (format binary)")).await;
        let rows = self.settle(rows, None).await?;
        self.busy = true;
        Ok((Box::pin(rows), decoder))
    }
}

type Copying = (Pin<Box<CopyOutStream>>, Decoder);

/// A stream's session, what still comes, and what makes batches of it.
type Streaming = (Box<PostgresSession>, Pin<Box<CopyOutStream>>, Decoder);

/// The decoder of a query whose columns have these types, for rows of a part.
fn decoder(columns: &[Column], natives: &[Type]) -> Result<Decoder, Failure> {
    let schema = staged_schema(columns);
    let fits = schema.fields().len() == natives.len();
    let readers = schema.fields().iter().zip(natives).map(|(field, native)| {
        let format = Format::of(native, field.data_type())?;
        Some(Reader::new(format, field.data_type()))
    });
    let readers: Option<Vec<_>> = readers.collect();
    readers.filter(|_| fits).map(|readers| Decoder::new(Arc::new(schema), readers)).ok_or_else(
        || {
            Failure::new(
                Code::SourceQuery,
                "the model's columns changed their types since they were described",
            )
            .help("Run the sync again")
        },
    )
}

#[async_trait]
impl Session for PostgresSession {
    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let messages = self.simple(sql).await?;
        let completed = messages.iter().rev().find_map(|message| {
            if let SimpleQueryMessage::CommandComplete(rows) = message { Some(*rows) } else { None }
        });
        let rows = completed.unwrap_or(0);
        if let Some(statement) = remember_rows(sql, rows) {
            self.set(&statement).await?;
        }
        Ok(rows)
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let messages = self.simple(sql).await?;
        Ok(messages
            .iter()
            .filter_map(
                |message| {
                    if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None }
                },
            )
            .map(|row| (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            .collect())
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        self.busy = true;
        let described = self.client.prepare(query).await;
        let described = self.settle(described, Some(query)).await?;
        Ok(described
            .columns()
            .iter()
            .map(|column| {
                let native = column.type_();
                Column::new(column.name(), types::kind(native), types::name(native))
            })
            .collect())
    }

    async fn load_seqs(&mut self, _table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        self.set(&format!(
            "drop table if exists pg_temp.{SEQS}; create temporary table {SEQS} (seq bigint not null)"
        ))
        .await?;
        self.busy = true;
        let loaded = load(&self.client, seqs).await;
        self.settle(loaded, None).await
    }

    async fn stream(
        mut self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let (rows, decoder) = self.copy(&sql, &columns).await?;
        Ok(stream::try_unfold(Some((self, rows, decoder)), next).boxed())
    }
}

/// The next batch of a copy, and what is left of it. At its end the session is closed.
async fn next(
    streaming: Option<Streaming>,
) -> Result<Option<(RecordBatch, Option<Streaming>)>, Failure> {
    let Some((mut session, mut rows, mut decoder)) = streaming else { return Ok(None) };
    while let Some(bytes) = rows.next().await {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return session.settle(Err(error), None).await,
        };
        decoder.push(&bytes).map_err(malformed)?;
        if decoder.is_full() {
            let batch = decoder.batch().map_err(malformed)?;
            return Ok(Some((batch, Some((session, rows, decoder)))));
        }
    }
    session.busy = false;
    for (column, losses) in decoder.losses() {
        let (nulled, replaced) = (losses.nulled, losses.replaced);
        tracing::warn!(column, nulled, replaced, "values without a counterpart were changed");
    }
    Ok(decoder.last_batch().map_err(malformed)?.map(|batch| (batch, None)))
}

fn malformed(error: Malformed) -> Failure {
    failure::lost(error.to_string()).caused_by(error)
}

async fn load(client: &Client, seqs: &RoaringTreemap) -> Result<(), Error> {
    let sink = client.copy_in::<_, Bytes>(&format!("copy {SEQS} from stdin")).await?;
    pin_mut!(sink);
    let mut lines = BytesMut::with_capacity(LOAD_BYTES);
    for seq in seqs {
        lines.put_slice(seq.to_string().as_bytes());
        lines.put_u8(b'\n');
        if lines.len() >= LOAD_BYTES - 32 {
            sink.send(mem::take(&mut lines).freeze()).await?;
            lines.reserve(LOAD_BYTES);
        }
    }
    sink.send(lines.freeze()).await?;
    sink.finish().await?;
    client.batch_execute(&format!("analyze {SEQS}")).await
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        if !self.busy {
            return;
        }
        let (cancel, driver) = (self.cancel.clone(), self.driver.clone());
        let canceled = async move {
            if tokio::time::timeout(CANCEL, cancel.send()).await.is_err() {
                tracing::debug!("a cancel request took too long");
            }
            driver.abort();
        };
        self.connector.spawn(canceled, &self.runtime);
    }
}
