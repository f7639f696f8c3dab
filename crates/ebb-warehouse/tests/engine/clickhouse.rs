//! ClickHouse: databases of its own on the test double that `EBB_TEST_CLICKHOUSE_URL` names.
//!
//! The double is ClickHouse's own engine behind its HTTP interface. It proves every text and every value; it cannot
//! prove what a server adds: users, grants, and what a service of several replicas does.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::port::Warehouse;
use serde_json::Value;

use super::Engine;
use crate::clickhouse::Double;

pub(crate) struct ClickHouse(Double);

impl ClickHouse {
    pub(crate) async fn start() -> Option<Self> {
        Some(Self(Double::start().await?))
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

#[async_trait]
impl Engine for ClickHouse {
    const CUTS_APART: usize = 7;

    fn kind(&self) -> &'static str {
        "clickhouse"
    }

    fn settings(&self) -> Value {
        self.0.settings()
    }

    async fn run(&self, sql: &str) {
        self.0.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.value(&format!("select count(*) from {table}")).await.parse().unwrap()
    }

    fn numbers(&self, last: u64) -> String {
        format!("select number + 1 as id from numbers({last})")
    }

    /// All tests share one server, so the managed database is the test's own.
    fn connect(&self) -> Arc<dyn Warehouse> {
        self.0.source(&self.settings())
    }
}
