//! Statements, one request each, and the stream of a result's pieces.

use std::{fmt::Write, sync::Arc};

use async_trait::async_trait;
use ebb_core::{Code, Column, Failure, port::BatchStream};
use futures_util::{StreamExt, TryStreamExt, stream};
use roaring::RoaringTreemap;
use tokio::task::spawn_blocking;

use super::{
    answer::Rows,
    client::{Answer, Client, Statement},
    decode, types,
};
use crate::{blocking::stopped, connection::Session};

/// So many pieces of a result are fetched at a time; each is some megabytes.
const PIECES: usize = 4;
/// Numbers of one statement that fills a table with them.
const CHUNK: usize = 50_000;

pub(super) struct SnowflakeSession {
    client: Arc<Client>,
    label: String,
    /// The statements of an open transaction, which are sent at its end.
    gathered: Option<Vec<String>>,
}

impl SnowflakeSession {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client, label: "ebb".to_owned(), gathered: None }
    }

    async fn run(&self, sql: String) -> Result<Answer, Failure> {
        self.client.run(Statement { sql, count: 1, label: self.label.clone() }).await
    }

    /// Runs the statements of a transaction in one request: all of them or none.
    async fn transact(&self, statements: &[String]) -> Result<(), Failure> {
        let sql = format!("begin;\n{};\ncommit", statements.join(";\n"));
        let count = statements.len() + 2;
        self.client.run(Statement { sql, count, label: self.label.clone() }).await.map(drop)
    }

    /// All rows of an answer, piece after piece.
    async fn all(&self, answer: Answer) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let mut rows = read(&answer.body)?;
        for number in 1..answer.done.result_set_meta_data.partition_info.len() {
            let piece = self.client.partition(&answer.done.statement_handle, number).await?;
            rows.extend(read(&piece)?);
        }
        Ok(rows)
    }
}

fn read(piece: &[u8]) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let rows: Rows = serde_json::from_slice(piece).map_err(|error| {
        Failure::new(Code::SourceQuery, "Snowflake gave rows of another form than it promised")
            .caused_by(error)
    })?;
    Ok(rows.data)
}

#[async_trait]
impl Session for SnowflakeSession {
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        label.clone_into(&mut self.label);
        Ok(())
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        match (sql, self.gathered.take()) {
            ("begin", _) => self.gathered = Some(Vec::new()),
            ("commit", Some(statements)) => self.transact(&statements).await?,
            (_, Some(mut statements)) => {
                statements.push(sql.to_owned());
                self.gathered = Some(statements);
            }
            (_, None) => {
                let answer = self.run(sql.to_owned()).await?;
                // What a statement wrote is the first value of its only row.
                let written = read(&answer.body)?.into_iter().flatten().next().flatten();
                return Ok(written.and_then(|rows| rows.parse().ok()).unwrap_or(0));
            }
        }
        Ok(0)
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let answer = self.run(sql.to_owned()).await?;
        self.all(answer).await
    }

    /// A query that may give no row is planned and not run.
    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let answer = self.run(format!("select * from (\n{query}\n) m\nlimit 0")).await?;
        Ok(answer.done.result_set_meta_data.row_type.iter().map(types::column).collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        self.run(format!("create or replace transient table {table} (seq number(38,0))")).await?;
        let mut rest = seqs.iter().peekable();
        while rest.peek().is_some() {
            let mut list = String::new();
            for seq in rest.by_ref().take(CHUNK) {
                let comma = if list.is_empty() { "" } else { "," };
                write!(list, "{comma}{seq}").expect("a text takes what is written to it");
            }
            self.run(format!(
                "insert into {table} (seq) select value from table(flatten(input => parse_json('[{list}]')))"
            ))
            .await?;
        }
        Ok(())
    }

    async fn stream(
        self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let answer = self.run(sql).await?;
        let pieces = answer.done.result_set_meta_data.partition_info.len().max(1);
        let handle: Arc<str> = answer.done.statement_handle.into();
        let columns: Arc<[Column]> = columns.into();
        let first = answer.body;
        let client = self.client;
        let pieces = stream::iter(0..pieces).map(move |number| {
            let (client, handle) = (Arc::clone(&client), Arc::clone(&handle));
            let (columns, first) = (Arc::clone(&columns), first.clone());
            async move {
                let piece = match number {
                    0 => first,
                    _ => client.partition(&handle, number).await?,
                };
                let decoded = spawn_blocking(move || decode::batches(&columns, &piece));
                let batches = decoded.await.map_err(stopped)??;
                Ok(stream::iter(batches.into_iter().map(Ok)))
            }
        });
        Ok(pieces.buffered(PIECES).try_flatten().boxed())
    }
}
