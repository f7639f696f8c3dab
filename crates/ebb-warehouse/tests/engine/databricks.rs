//! Databricks: schemas of its own on the test double that `EBB_TEST_DATABRICKS_URL` names.
//!
//! The double is Apache Spark behind Databricks' protocol. It proves the protocol, and that Spark takes
//! each text but for the words `create or replace`. It cannot prove what Delta Lake adds to them.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::port::Warehouse;
use serde_json::{Value, json};

use super::Engine;
use crate::databricks::Double;

pub(crate) struct Databricks(Double);

impl Databricks {
    pub(crate) async fn start() -> Option<Self> {
        Self::with(json!({})).await
    }

    /// Schemas with these switches of the double.
    pub(crate) async fn with(switches: Value) -> Option<Self> {
        Some(Self(Double::start(switches).await?))
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

#[async_trait]
impl Engine for Databricks {
    const CUTS_APART: usize = 17;

    fn kind(&self) -> &'static str {
        "databricks"
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

    /// All tests share one catalog, so the managed schema is the test's own.
    fn connect(&self) -> Arc<dyn Warehouse> {
        self.0.source(&self.settings())
    }
}
