//! DuckDB, with the feature of that name.

use async_trait::async_trait;
use duckdb::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Engine;

pub(crate) struct DuckDb {
    folder: TempDir,
}

impl DuckDb {
    pub(crate) async fn start() -> Option<Self> {
        let engine = Self { folder: tempfile::tempdir().unwrap() };
        engine.run("select 1").await;
        Some(engine)
    }

    fn open(&self) -> Connection {
        Connection::open(self.folder.path().join("shop.duckdb")).unwrap()
    }
}

#[async_trait]
impl Engine for DuckDb {
    fn kind(&self) -> &'static str {
        "duckdb"
    }

    fn settings(&self) -> Value {
        json!({ "path": self.folder.path().join("shop.duckdb") })
    }

    async fn run(&self, sql: &str) {
        self.open().execute_batch(sql).unwrap();
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        self.open().query_row(&sql, [], |row| row.get(0)).unwrap()
    }
}
