//! SQLite, always there.

use async_trait::async_trait;
use ebb_core::config::MANAGED_SCHEMA;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Engine;

pub(crate) struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    pub(crate) async fn start() -> Option<Self> {
        let engine = Self { folder: tempfile::tempdir().unwrap() };
        engine.run("pragma user_version = 1").await;
        Some(engine)
    }

    fn open(&self) -> Connection {
        let connection = Connection::open(self.folder.path().join("shop.db")).unwrap();
        let managed = self.folder.path().join(format!("shop.{MANAGED_SCHEMA}.db"));
        if managed.exists() {
            let managed = managed.to_str().unwrap();
            connection.execute("attach database ?1 as ?2", [managed, MANAGED_SCHEMA]).unwrap();
        }
        connection
    }
}

#[async_trait]
impl Engine for Sqlite {
    const CUTS_APART: usize = 1;

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn settings(&self) -> Value {
        json!({ "path": self.folder.path().join("shop.db") })
    }

    async fn run(&self, sql: &str) {
        self.open().execute_batch(sql).unwrap();
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        self.open().query_row(&sql, [], |row| row.get(0)).unwrap()
    }
}
