//! One live session: statements, descriptions and the stream of a copy.

use std::{mem, pin::Pin, sync::Arc};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use ebb_core::{Code, Column, Failure, port::BatchStream, record::staged_schema};
use futures_util::{SinkExt, StreamExt, pin_mut, stream};
use roaring::RoaringTreemap;
use tokio_postgres::{Client, CopyOutStream, Error, types::Type};

use super::{
    copy::{Decoder, Format, Malformed, Reader},
    dialect::remember_rows,
    types,
};
use crate::{
    connection::{SEQS, Session},
    pgwire::{Link, literal, lost, tell_losses},
};

/// Bytes of one message to the server when rows are loaded.
const LOAD_BYTES: usize = 64 * 1024;

/// A session.
pub(super) struct PostgresSession(pub(super) Link);

impl PostgresSession {
    async fn copy(&mut self, sql: &str, columns: &[Column]) -> Result<Copying, Failure> {
        let Self(link) = self;
        // Workers would mix the order of the rows.
        link.set("set max_parallel_workers_per_gather = 0").await?;
        let described = link.prepare(sql).await?;
        let natives: Vec<Type> =
            described.columns().iter().map(|column| column.type_().clone()).collect();
        let decoder = decoder(columns, &natives)?;
        let rows =
            link.ask().copy_out(&format!("copy (\n{sql}\n) to stdout (format binary)")).await;
        let rows = link.settle(rows).await?;
        // The server works on until the last row is here.
        link.ask();
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
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        let Self(link) = self;
        link.set(&format!("set application_name = {}", literal(label))).await
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let rows = self.0.execute(sql).await?;
        if let Some(statement) = remember_rows(sql, rows) {
            self.0.set(&statement).await?;
        }
        Ok(rows)
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        self.0.rows(sql).await
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let described = self.0.prepare_model(query).await?;
        Ok(described
            .columns()
            .iter()
            .map(|column| {
                let native = column.type_();
                Column::new(column.name(), types::kind(native), types::name(native))
            })
            .collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        let Self(link) = self;
        link.set(&format!(
            "drop table if exists pg_temp.{table}; create temporary table {table} (seq bigint not null)"
        ))
        .await?;
        let loaded = load(link.ask(), seqs).await;
        link.settle(loaded).await
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
            Err(error) => return session.0.settle(Err(error)).await,
        };
        decoder.push(&bytes).map_err(malformed)?;
        if decoder.is_full() {
            let batch = decoder.batch().map_err(malformed)?;
            return Ok(Some((batch, Some((session, rows, decoder)))));
        }
    }
    session.0.rest();
    tell_losses(decoder.losses());
    Ok(decoder.last_batch().map_err(malformed)?.map(|batch| (batch, None)))
}

fn malformed(error: Malformed) -> Failure {
    lost(error.to_string()).caused_by(error)
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
