//! BigQuery: a project of its own on the test double that `EBB_TEST_BIGQUERY_URL` names.
//!
//! The double is DuckDB behind BigQuery's protocol. It proves the protocol, the order of statements, and
//! that a script's transaction comes whole or not at all. It cannot prove that BigQuery takes each text:
//! its SQL is translated to DuckDB's, which takes some that BigQuery refuses.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Engine;
use crate::bigquery::Double;

pub(crate) struct BigQuery(Double);

impl BigQuery {
    pub(crate) async fn start() -> Option<Self> {
        Self::with(json!({})).await
    }

    /// A project with these switches of the double.
    pub(crate) async fn with(switches: Value) -> Option<Self> {
        Some(Self(Double::start(switches).await?))
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

#[async_trait]
impl Engine for BigQuery {
    /// Every statement is several requests, and the double takes its time.
    const CUTS_APART: usize = 7;

    fn kind(&self) -> &'static str {
        "bigquery"
    }

    fn settings(&self) -> Value {
        self.0.settings()
    }

    async fn run(&self, sql: &str) {
        self.0.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        let count = self.0.value(&format!("select count(*) from {table}")).await;
        count.as_str().unwrap().parse().unwrap()
    }

    fn quoted(&self, name: &str) -> String {
        format!("`{name}`")
    }

    /// No name may hold a double quote.
    fn odd_name(&self) -> &'static str {
        "Näme 'q'"
    }

    /// A recursive query goes 500 steps at most.
    fn numbers(&self, last: u64) -> String {
        format!("select id from unnest(generate_array(1, {last})) as id")
    }
}

/// The same, where all changes come by the Storage Read API, however few.
pub(crate) struct BigQueryByStorage(BigQuery);

impl BigQueryByStorage {
    pub(crate) async fn start() -> Option<Self> {
        Self::with(json!({})).await
    }

    /// A project with these switches of the double.
    pub(crate) async fn with(switches: Value) -> Option<Self> {
        Some(Self(BigQuery::with(switches).await?))
    }

    pub(crate) fn double(&self) -> &Double {
        self.0.double()
    }
}

#[async_trait]
impl Engine for BigQueryByStorage {
    /// Only how changes are read differs.
    const CUTS_APART: usize = 20;

    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn settings(&self) -> Value {
        self.double().settings_by_storage()
    }

    async fn run(&self, sql: &str) {
        self.0.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.count(table).await
    }

    fn quoted(&self, name: &str) -> String {
        self.0.quoted(name)
    }

    fn odd_name(&self) -> &'static str {
        self.0.odd_name()
    }

    fn numbers(&self, last: u64) -> String {
        self.0.numbers(last)
    }
}
