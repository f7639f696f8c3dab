//! Snowflake: a database of its own on the test double that `EBB_TEST_SNOWFLAKE_URL` names.
//!
//! The double is DuckDB behind Snowflake's protocol. It proves the protocol, the order of statements,
//! and that a request's statements come together or not at all. It cannot prove that Snowflake takes
//! each text: DuckDB takes some that Snowflake refuses, and names in quotes ignore case there.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Engine;
use crate::snowflake::Double;

pub(crate) struct Snowflake(Double);

impl Snowflake {
    pub(crate) async fn start() -> Option<Self> {
        // The shared scenarios write names in lower case.
        Self::with(json!({ "fold": "lower" })).await
    }

    /// A database with these switches of the double.
    pub(crate) async fn with(switches: Value) -> Option<Self> {
        Some(Self(Double::start(switches).await?))
    }

    /// One whose results come in pieces of so many rows.
    pub(crate) async fn small_pieces(rows: u32) -> Option<Self> {
        Self::with(json!({ "fold": "lower", "partition_rows": rows })).await
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

#[async_trait]
impl Engine for Snowflake {
    fn kind(&self) -> &'static str {
        "snowflake"
    }

    fn settings(&self) -> Value {
        self.0.settings()
    }

    async fn run(&self, sql: &str) {
        // A backslash escapes in Snowflake's literals; the scenarios mean it as it is.
        self.0.run(&sql.replace('\\', "\\\\")).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.value(&format!("select count(*) from {table}")).await.parse().unwrap()
    }
}

/// The same by the protocol of sessions, with pieces of results in a storage.
pub(crate) struct SnowflakeBySession(Double);

impl SnowflakeBySession {
    pub(crate) async fn start() -> Option<Self> {
        Self::with(json!({ "fold": "lower", "partition_rows": 20_000 })).await
    }

    /// A database with these switches of the double.
    pub(crate) async fn with(switches: Value) -> Option<Self> {
        Some(Self(Double::start(switches).await?))
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

#[async_trait]
impl Engine for SnowflakeBySession {
    // On a busy machine a commit is over after a dozen of them.
    const CUTS_APART: usize = 9;

    fn kind(&self) -> &'static str {
        "snowflake"
    }

    fn settings(&self) -> Value {
        self.0.settings_with_password()
    }

    async fn run(&self, sql: &str) {
        self.0.run(&sql.replace('\\', "\\\\")).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.value(&format!("select count(*) from {table}")).await.parse().unwrap()
    }
}
