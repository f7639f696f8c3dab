//! MariaDB: a database of its own on the private server that `EBB_TEST_MYSQL_URL` names.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::port::Warehouse;
use serde_json::Value;

use super::Engine;
use crate::{control::unique, mysql::Server};

pub(crate) struct Mysql(Server);

impl Mysql {
    pub(crate) async fn start() -> Option<Self> {
        Some(Self(Server::start(&format!("conformance_{}", unique())).await?))
    }

    pub(crate) fn server(&self) -> &Server {
        &self.0
    }
}

#[async_trait]
impl Engine for Mysql {
    const CUTS_APART: usize = 1;

    fn kind(&self) -> &'static str {
        "mysql"
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

    /// Schemas are databases here, so each test has a managed one of its own.
    fn connect(&self) -> Arc<dyn Warehouse> {
        self.0.source(self.0.settings())
    }
}
