//! Statements, one request each; a session is no more than what they have in common.

use std::{fmt::Write, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ebb_core::{Column, Failure, port::BatchStream};
use roaring::RoaringTreemap;

use super::{
    answer,
    client::{Client, Statement},
    dialect::{inner, literal},
    reading, types,
    wishes::Purpose,
};
use crate::{
    connection::{Access, Session},
    http,
};

/// Numbers of one statement that fills a table with them: one block, written at once or not at all.
const CHUNK: usize = 500_000;

pub(super) struct ClickHouseSession {
    client: Arc<Client>,
    access: Access,
    /// As the session's owner gave it.
    label: Option<String>,
}

impl ClickHouseSession {
    pub(super) const fn new(client: Arc<Client>, access: Access) -> Self {
        Self { client, access, label: None }
    }

    pub(super) fn statement(&self, sql: String, purpose: Purpose) -> Result<Statement, Failure> {
        let writes = match purpose {
            Purpose::Tables | Purpose::Insert => "writes",
            Purpose::Rows | Purpose::Stream | Purpose::Kill => "reads",
        };
        Ok(Statement {
            sql: sql.into(),
            id: format!("{}:{writes}:{}", self.works_for(), http::unique()?),
            label: self.label.clone(),
            purpose,
            refuses_writes: self.access == Access::Read,
        })
    }

    /// How the names of a mapping's statements begin.
    fn works_for(&self) -> String {
        let label = self.label.as_deref().unwrap_or_default();
        let mapping = label.strip_prefix("ebb:").unwrap_or(label);
        let mapping = mapping.rsplit_once(':').map_or(mapping, |(mapping, _)| mapping);
        format!("{}:{mapping}", self.client.settings.managed_schema)
    }

    async fn run(&self, sql: String, purpose: Purpose) -> Result<Bytes, Failure> {
        let statement = self.statement(sql, purpose)?;
        self.client.run(&statement).await
    }
}

#[async_trait]
impl Session for ClickHouseSession {
    /// What another process left at work for the mapping would put its tables in place of those that are written
    /// now. It is ended, and waited for.
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        self.label = Some(label.to_owned());
        if self.access == Access::Write {
            let begins = literal(&format!("{}:writes:", self.works_for()));
            let sql = format!(
                "kill query where user = currentUser() and startsWith(query_id, {begins}) sync"
            );
            self.run(sql, Purpose::Kill).await?;
        }
        Ok(())
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let is_insert = sql.starts_with("insert");
        let purpose = if is_insert { Purpose::Insert } else { Purpose::Tables };
        self.run(sql.to_owned(), purpose).await.map(|_| 0)
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        answer::rows(&self.run(sql.to_owned(), Purpose::Rows).await?)
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        let rows = self.rows(&format!("describe table (\n{}\n)", inner(query))).await?;
        let columns = rows.into_iter().filter_map(|row| match row.as_slice() {
            [Some(name), Some(native), ..] => Some(types::column(name, native)),
            _ => None,
        });
        Ok(columns.collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        self.execute(&format!(
            "create or replace table {table} (seq UInt64) engine = MergeTree order by seq"
        ))
        .await?;
        let mut rest = seqs.iter().peekable();
        while rest.peek().is_some() {
            let mut sql = format!("insert into {table} (seq) values");
            for (place, seq) in rest.by_ref().take(CHUNK).enumerate() {
                let comma = if place == 0 { " " } else { "," };
                write!(sql, "{comma}({seq})").expect("a text takes what is written to it");
            }
            self.run(sql, Purpose::Insert).await?;
        }
        Ok(())
    }

    async fn stream(
        self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        let statement = self.statement(sql, Purpose::Stream)?;
        let (response, running) = self.client.begin(&statement).await?;
        Ok(reading::batches(self.client, response, running, &columns))
    }
}
