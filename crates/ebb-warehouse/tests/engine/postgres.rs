//! PostgreSQL: a database of its own on the private cluster that `EBB_TEST_POSTGRES_URL` names.

use async_trait::async_trait;
use serde_json::Value;

use super::Engine;
use crate::{control::unique, postgres::Server};

pub(crate) struct Postgres(Server);

impl Postgres {
    pub(crate) async fn start() -> Option<Self> {
        Some(Self(Server::start(&format!("conformance_{}", unique())).await?))
    }
}

#[async_trait]
impl Engine for Postgres {
    const CUTS_APART: usize = 1;

    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn settings(&self) -> Value {
        self.0.settings().into()
    }

    async fn run(&self, sql: &str) {
        self.0.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.value(&format!("select count(*) from {table}")).await.parse().unwrap()
    }
}
