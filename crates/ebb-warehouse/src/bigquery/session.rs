//! Statements, one job each, and the stream of a result's pages.

use std::{fmt::Write, sync::Arc};

use async_trait::async_trait;
use ebb_core::{Column, Failure, port::BatchStream};
use roaring::RoaringTreemap;
use serde_json::{Map, Value};

use super::{
    client::Client,
    decode,
    dialect::{BEGIN, COMMIT},
    job::{self, Done, Statement},
    pages, storage, types,
};
use crate::{
    connection::{Changes, KnownTable, Session},
    http,
};

/// Rows of one request for a small result.
const ROWS: u64 = 10_000;
/// Numbers of one statement that fills a table with them; its text may have a megabyte.
const CHUNK: usize = 50_000;

pub(super) struct BigQuerySession {
    client: Arc<Client>,
    labels: Map<String, Value>,
    /// The statements of an open transaction, which are sent at its end.
    gathered: Option<Vec<String>>,
    scanned: u64,
}

impl BigQuerySession {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client, labels: job::labels("ebb"), gathered: None, scanned: 0 }
    }

    async fn run(&mut self, sql: &str) -> Result<Done, Failure> {
        let statement = Statement { sql, labels: &self.labels };
        let done = job::run(&self.client, &statement).await?;
        self.scanned += done.scanned;
        Ok(done)
    }
}

#[async_trait]
impl Session for BigQuerySession {
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        self.labels = job::labels(label);
        Ok(())
    }

    async fn tables(&mut self, names: &[&str]) -> Result<Option<Vec<KnownTable>>, Failure> {
        self.client.tables(names).await.map(Some)
    }

    async fn all_tables(&mut self) -> Result<Option<Vec<String>>, Failure> {
        self.client.all_tables().await.map(Some)
    }

    async fn described_tables(
        &mut self,
        rows: usize,
    ) -> Result<Option<Vec<Vec<Option<String>>>>, Failure> {
        self.client.described_tables(rows).await.map(Some)
    }

    fn again(&self) -> Option<Box<dyn Session>> {
        let mut session = Self::new(Arc::clone(&self.client));
        session.labels.clone_from(&self.labels);
        Some(Box::new(session))
    }

    fn bytes_scanned(&self) -> Option<u64> {
        Some(self.scanned)
    }

    /// The statements of a transaction are one script: all of them or none, because a script that stops
    /// before its end undoes its open transaction.
    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        match (sql, self.gathered.take()) {
            (BEGIN, _) => self.gathered = Some(Vec::new()),
            (COMMIT, Some(statements)) => {
                self.run(&format!("{BEGIN};\n{};\n{COMMIT};", statements.join(";\n"))).await?;
            }
            (_, Some(mut statements)) => {
                statements.push(sql.to_owned());
                self.gathered = Some(statements);
            }
            (_, None) => return Ok(self.run(sql).await?.written),
        }
        Ok(0)
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let done = self.run(sql).await?;
        let mut rows = Vec::new();
        loop {
            let (page, body) = done.page(&self.client, rows.len() as u64, ROWS).await?;
            let read = decode::rows(&body)?;
            let is_last = rows.len() + read.len() >= usize::try_from(page.total_rows).unwrap_or(0);
            if !is_last && read.is_empty() {
                return Err(http::lost("a result ended before its last row"));
            }
            rows.extend(read);
            if is_last {
                return Ok(rows);
            }
        }
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let told = job::dry_run(&self.client, &format!("select * from (\n{query}\n) m")).await?;
        Ok(told.schema.fields.iter().map(types::column).collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        self.run(&format!("create or replace table {table} (seq int64)")).await?;
        let mut rest = seqs.iter().peekable();
        while rest.peek().is_some() {
            let mut list = String::new();
            for seq in rest.by_ref().take(CHUNK) {
                let comma = if list.is_empty() { "" } else { "," };
                write!(list, "{comma}{seq}").expect("a text takes what is written to it");
            }
            self.run(&format!("insert into {table} (seq) select seq from unnest([{list}]) as seq"))
                .await?;
        }
        Ok(())
    }

    async fn stream(
        mut self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let done = self.run(&sql).await?;
        pages::stream(self.client, done, columns).await
    }

    async fn stream_changes(self: Box<Self>, changes: Changes) -> Result<BatchStream, Failure> {
        let changes = Arc::new(changes);
        if let Some(batches) = storage::stream(&self.client, &changes).await? {
            return Ok(batches);
        }
        let Changes { sql, columns, .. } = &*changes;
        self.stream(sql.clone(), columns.clone()).await
    }
}
