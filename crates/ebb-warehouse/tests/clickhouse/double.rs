//! Databases of its own on the test double, and its faults.

use std::sync::Arc;

use ebb_core::port::Warehouse;
use serde_json::{Value, json};

use crate::control::{self, Control, begins, unique, with};

/// The test double, as one test sees it.
pub(crate) struct Double {
    control: Control,
    /// The database of the test's own tables, by which the double knows its requests.
    pub(crate) database: String,
}

impl Double {
    /// A fresh database; `None` if the double does not run.
    pub(crate) async fn start() -> Option<Self> {
        let control = Control::of("EBB_TEST_CLICKHOUSE_URL")?;
        let double = Self { control, database: format!("test_{}", unique()) };
        double.control.post("schemas", &json!({ "name": double.database })).await;
        Some(double)
    }

    /// Settings of the source.
    pub(crate) fn settings(&self) -> Value {
        let place = self.control.url.trim_start_matches("http://");
        let (host, port) = place.rsplit_once(':').unwrap();
        json!({
            "host": host, "port": port, "sslmode": "disable", "database": self.database,
            "user": "ebb", "password": "secret",
        })
    }

    /// Settings with others; null takes one away.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let mut settings = with(self.settings(), others);
        settings.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        settings
    }

    /// The database of Ebb's own tables.
    pub(crate) fn managed(&self) -> String {
        format!("{}_ebb", self.database)
    }

    /// Connects Ebb by these settings.
    pub(crate) fn source(&self, settings: &Value) -> Arc<dyn Warehouse> {
        control::connect("clickhouse", settings, &self.managed())
    }

    /// Runs statements by the double's own client, any number of them; the rows of the last.
    pub(crate) async fn run(&self, script: &str) -> Vec<Vec<Option<String>>> {
        let body = json!({ "schema": self.database, "script": script });
        serde_json::from_value(self.control.post("run", &body).await).unwrap()
    }

    /// Runs one statement in ClickHouse's own words.
    pub(crate) async fn own(&self, sql: &str) {
        self.control.post("own", &json!({ "schema": self.database, "sql": sql })).await;
    }

    /// The first value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.run(sql).await;
        rows.into_iter().flatten().next().flatten().unwrap_or_default()
    }

    /// Lets a statement fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let wanted = with(json!({ "schema": self.database, "count": 1 }), &fault);
        self.control.post("faults", &wanted).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        self.control.log(&format!("log?schema={}", self.database)).await
    }

    /// Waits until a statement that begins so was killed.
    pub(crate) async fn until_canceled(&self, begins: &str) {
        self.until(begins, |entry| entry["canceled"] == true).await;
    }

    /// Waits until a statement that begins so runs.
    pub(crate) async fn until_taken(&self, begins: &str) {
        self.until(begins, |entry| entry["done"] == false).await;
    }

    async fn until(&self, start: &str, is: impl Fn(&Value) -> bool) {
        let log = format!("log?schema={}", self.database);
        let is = |entry: &Value| begins(entry, "statement", start) && is(entry);
        self.control.until(&log, start, is).await;
    }
}
