//! Statements, one request each, and the stream of a result's pieces.

use std::{fmt::Write, sync::Arc};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use ebb_core::{Column, Failure, port::BatchStream};
use futures_util::{StreamExt, TryStreamExt, stream};
use roaring::RoaringTreemap;
use tokio::task::spawn_blocking;

use super::{
    runner::{Answer, Form, Piece, Runner, Statement},
    types,
};
use crate::{blocking::stopped, connection::Session};

/// So many pieces of a result are fetched at a time; each is some megabytes.
const PIECES: usize = 4;
/// Numbers of one statement that fills a table with them.
const CHUNK: usize = 50_000;

pub(super) struct SnowflakeSession {
    runner: Arc<dyn Runner>,
    label: String,
    /// The statements of an open transaction, which are sent at its end.
    gathered: Option<Vec<String>>,
}

impl SnowflakeSession {
    pub(super) fn new(runner: Arc<dyn Runner>) -> Self {
        Self { runner, label: "ebb".to_owned(), gathered: None }
    }

    async fn run(&self, sql: String, form: Form) -> Result<Answer, Failure> {
        let statement = Statement { sql, count: 1, label: self.label.clone(), form };
        Arc::clone(&self.runner).run(statement).await
    }

    /// Runs the statements of a transaction in one request: all of them or none.
    async fn transact(&self, statements: &[String]) -> Result<(), Failure> {
        let sql = format!("begin;\n{};\ncommit", statements.join(";\n"));
        let count = statements.len() + 2;
        let statement = Statement { sql, count, label: self.label.clone(), form: Form::Text };
        Arc::clone(&self.runner).run(statement).await.map(drop)
    }
}

/// All rows of an answer, piece after piece.
async fn all(answer: &Answer) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let mut all = Vec::new();
    for number in 0..answer.pieces.count() {
        let Piece { rows, promised } = answer.pieces.piece(number).await?;
        let rows = rows.text()?;
        Piece::expect(promised, rows.len())?;
        all.extend(rows);
    }
    Ok(all)
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
                let answer = self.run(sql.to_owned(), Form::Text).await?;
                // What a statement wrote is the first value of its only row.
                let written = all(&answer).await?.into_iter().flatten().next().flatten();
                return Ok(written.and_then(|rows| rows.parse().ok()).unwrap_or(0));
            }
        }
        Ok(0)
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let answer = self.run(sql.to_owned(), Form::Text).await?;
        all(&answer).await
    }

    /// A query that may give no row is planned and not run.
    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let sql = format!("select * from (\n{query}\n) m\nlimit 0");
        let answer = self.run(sql, Form::Text).await?;
        Ok(answer.columns.iter().map(types::column).collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        let create = format!("create or replace transient table {table} (seq number(38,0))");
        self.run(create, Form::Text).await?;
        let mut rest = seqs.iter().peekable();
        while rest.peek().is_some() {
            let mut list = String::new();
            for seq in rest.by_ref().take(CHUNK) {
                let comma = if list.is_empty() { "" } else { "," };
                write!(list, "{comma}{seq}").expect("a text takes what is written to it");
            }
            let insert = format!(
                "insert into {table} (seq) select value from table(flatten(input => parse_json('[{list}]')))"
            );
            self.run(insert, Form::Text).await?;
        }
        Ok(())
    }

    async fn stream(
        self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let answer = self.run(sql, Form::Batches).await?;
        let pieces = answer.pieces;
        let columns: Arc<[Column]> = columns.into();
        let pieces = stream::iter(0..pieces.count()).map(move |number| {
            let (columns, pieces) = (Arc::clone(&columns), Arc::clone(&pieces));
            async move {
                let Piece { rows, promised } = pieces.piece(number).await?;
                let decoded = spawn_blocking(move || rows.batches(&columns));
                let batches = decoded.await.map_err(stopped)??;
                let rows = batches.iter().map(RecordBatch::num_rows).sum();
                Piece::expect(promised, rows)?;
                Ok(stream::iter(batches.into_iter().map(Ok)))
            }
        });
        Ok(pieces.buffered(PIECES).try_flatten().boxed())
    }
}
