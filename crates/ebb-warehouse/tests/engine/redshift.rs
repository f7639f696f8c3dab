//! Redshift's double: a database of its own on the private PostgreSQL cluster, seen through
//! [`Double`], whose documentation tells what this does not prove.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use serde_json::Value;

use super::Engine;
use crate::redshift::{Double, Names};

pub(crate) struct Redshift(Double);

impl Redshift {
    pub(crate) async fn start() -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // the runner may start every test in a process of its own
        let name = format!("redshift_{}_{number}", process::id());
        // The scenarios name columns with capitals, too.
        Some(Self(Double::with_names(&name, Names::Kept).await?))
    }
}

#[async_trait]
impl Engine for Redshift {
    fn kind(&self) -> &'static str {
        "redshift"
    }

    fn settings(&self) -> Value {
        self.0.settings().into()
    }

    async fn run(&self, sql: &str) {
        self.0.server.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.server.value(&format!("select count(*) from {table}")).await.parse().unwrap()
    }
}
