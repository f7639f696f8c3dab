//! Schemas of its own on the test double, and its switches.

use std::sync::Arc;

use ebb_core::port::Warehouse;
use serde_json::{Value, json};

use crate::control::{self, Control, begins, unique, with};

/// The test double, as one test sees it.
pub(crate) struct Double {
    control: Control,
    /// The schema of the test's own tables, by which the double knows its requests.
    pub(crate) schema: String,
}

impl Double {
    /// A fresh schema with these switches; `None` if the double does not run.
    pub(crate) async fn start(switches: Value) -> Option<Self> {
        let control = Control::of("EBB_TEST_DATABRICKS_URL")?;
        let double = Self { control, schema: format!("test_{}", unique()) };
        let wanted = with(json!({ "name": double.schema }), &switches);
        double.control.post("schemas", &wanted).await;
        Some(double)
    }

    /// Settings of the source with a personal access token.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "hostname": self.control.url, "http_path": "/sql/1.0/warehouses/wh1", "catalog": "main",
            "schema": self.schema, "token": "dev-token",
        })
    }

    /// Settings with others in place of the token.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let mut settings = self.settings();
        settings.as_object_mut().unwrap().remove("token");
        with(settings, others)
    }

    /// The schema of Ebb's own tables.
    pub(crate) fn managed(&self) -> String {
        format!("{}_ebb", self.schema)
    }

    /// Connects Ebb by these settings.
    pub(crate) fn source(&self, settings: &Value) -> Arc<dyn Warehouse> {
        control::connect("databricks", settings, &self.managed())
    }

    /// Runs statements by the double's own client, any number of them; the rows of the last.
    pub(crate) async fn run(&self, script: &str) -> Vec<Vec<Option<String>>> {
        let body = json!({ "schema": self.schema, "script": script });
        serde_json::from_value(self.control.post("run", &body).await).unwrap()
    }

    /// The first value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.run(sql).await;
        rows.into_iter().flatten().next().flatten().unwrap_or_default()
    }

    /// Lets requests fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let wanted = with(json!({ "schema": self.schema, "count": 1 }), &fault);
        self.control.post("faults", &wanted).await;
    }

    /// Ends every token that a service principal got.
    pub(crate) async fn expire(&self) {
        self.control.post("expire", &json!({})).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        self.control.log(&format!("log?schema={}", self.schema)).await
    }

    /// Waits until a statement that begins so was canceled.
    pub(crate) async fn until_canceled(&self, begins: &str) {
        self.until(begins, |entry| entry["canceled"] == true).await;
    }

    /// Waits until a statement that begins so runs.
    pub(crate) async fn until_taken(&self, begins: &str) {
        self.until(begins, |entry| entry["done"] == false).await;
    }

    async fn until(&self, start: &str, is: impl Fn(&Value) -> bool) {
        let log = format!("log?schema={}", self.schema);
        let is = |entry: &Value| begins(entry, "statement", start) && is(entry);
        self.control.until(&log, start, is).await;
    }
}
