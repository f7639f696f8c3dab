//! Statements, one request each, and the stream of a result's pieces.

use std::{fmt::Write, sync::Arc};

use async_trait::async_trait;
use ebb_core::{Column, Failure, port::BatchStream};
use futures_util::{StreamExt, TryStreamExt, stream};
use roaring::RoaringTreemap;
use tokio::task::spawn_blocking;

use super::{
    answer::Answer,
    client::{Client, Form, Statement},
    types,
};
use crate::{arrow::Reader, blocking::stopped, connection::Session, http};

/// So many pieces of a result are fetched at a time; each is some megabytes.
const PIECES: usize = 4;
/// Numbers of one statement that fills a table with them; a statement may have 16 MiB.
const CHUNK: usize = 250_000;

pub(super) struct DatabricksSession {
    client: Arc<Client>,
    label: Option<String>,
}

impl DatabricksSession {
    pub(super) const fn new(client: Arc<Client>) -> Self {
        Self { client, label: None }
    }

    async fn run(&self, sql: String, result: Form) -> Result<Answer, Failure> {
        self.client.run(Statement { sql, label: self.label.clone(), result }).await
    }
}

#[async_trait]
impl Session for DatabricksSession {
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        self.label = Some(label.strip_prefix("ebb:").unwrap_or(label).to_owned());
        Ok(())
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let answer = self.run(sql.to_owned(), Form::Nothing).await?;
        let written = answer.result.data_array.into_iter().flatten().next().flatten();
        Ok(written.and_then(|rows| rows.parse().ok()).unwrap_or(0))
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let answer = self.run(sql.to_owned(), Form::Text).await?;
        let mut rows = answer.result.data_array;
        for number in 1..answer.manifest.total_chunk_count {
            rows.extend(self.client.piece(&answer.statement_id, number).await?.data_array);
        }
        Ok(rows)
    }

    /// A query that may give no row is planned and not run.
    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let sql = format!("select * from (\n{query}\n) m\nlimit 0");
        let answer = self.run(sql, Form::Text).await?;
        Ok(answer.manifest.schema.columns.iter().map(types::column).collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        self.run(format!("create or replace table {table} (seq bigint)"), Form::Nothing).await?;
        let mut rest = seqs.iter().peekable();
        while rest.peek().is_some() {
            let mut list = String::new();
            for seq in rest.by_ref().take(CHUNK) {
                let comma = if list.is_empty() { "" } else { "," };
                write!(list, "{comma}{seq}").expect("a text takes what is written to it");
            }
            let sql = format!(
                "insert into {table} (seq) select explode(from_json('[{list}]', 'array<bigint>'))"
            );
            self.run(sql, Form::Nothing).await?;
        }
        Ok(())
    }

    async fn stream(
        self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let Answer { statement_id, manifest, result, .. } = self.run(sql, Form::Arrow).await?;
        let id: Arc<str> = statement_id.into();
        let columns: Arc<[Column]> = columns.into();
        let links: Arc<[_]> = result.external_links.into();
        let client = self.client;
        let pieces = stream::iter(0..manifest.total_chunk_count).map(move |number| {
            let (client, id) = (Arc::clone(&client), Arc::clone(&id));
            let (columns, links) = (Arc::clone(&columns), Arc::clone(&links));
            async move {
                let link = links.iter().find(|link| link.chunk_index == number);
                let bytes = client.bytes(&id, number, link).await?;
                let decoded = spawn_blocking(move || {
                    let mut reader = Reader::new(&columns, "Databricks");
                    let batches = reader.read(bytes)?;
                    reader.finish().map(|()| batches)
                });
                let batches = decoded.await.map_err(stopped)??;
                Ok(stream::iter(batches.into_iter().map(Ok)))
            }
        });
        // Whoever goes on after the last row of a result that was cut gets the rest.
        let cut = manifest.truncated.then(|| Err(http::lost("the result is larger than 100 GiB")));
        Ok(pieces.buffered(PIECES).try_flatten().chain(stream::iter(cut)).boxed())
    }
}
