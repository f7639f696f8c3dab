//! MariaDB: a database of its own on the private server that `EBB_TEST_MYSQL_URL` names.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use ebb_core::port::Warehouse;
use serde_json::Value;

use super::Engine;
use crate::mysql::Server;

pub(crate) struct Mysql(Server);

impl Mysql {
    pub(crate) async fn start() -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // the runner may start every test in a process of its own
        let name = format!("conformance_{}_{number}", process::id());
        Some(Self(Server::start(&name).await?))
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
