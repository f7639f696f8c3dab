//! A project of its own on the test double, and its switches.

use std::sync::Arc;

use ebb_core::{config::MANAGED_SCHEMA, port::Warehouse};
use serde_json::{Value, json};

use crate::control::{self, Control, begins, unique, with};

/// The test double, as one test sees it.
pub(crate) struct Double {
    control: Control,
    pub(crate) project: String,
    /// The service account's key, and the configuration of a federated workload.
    pub(crate) key: Value,
}

impl Double {
    /// A fresh project with these switches; `None` if the double does not run.
    pub(crate) async fn start(switches: Value) -> Option<Self> {
        let control = Control::of("EBB_TEST_BIGQUERY_URL")?;
        let project = format!("test-{}", unique());
        let mut double = Self { control, project, key: Value::Null };
        double.switch(switches).await;
        double.key = double.control.get("key").await;
        Some(double)
    }

    /// Settings of the source with a service account.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "endpoint": self.control.url, "project": self.project, "dataset": "shop",
            "credentials": self.key["service_account"].to_string(),
            "storage_endpoint": self.key["storage"],
        })
    }

    /// The same, where all changes come by the Storage Read API.
    pub(crate) fn settings_by_storage(&self) -> Value {
        with(self.settings(), &json!({ "storage_read": "always" }))
    }

    /// Runs statements by the double's own client, any number of them, in PostgreSQL's words.
    pub(crate) async fn run(&self, sql: &str) {
        self.value(sql).await;
    }

    /// The first value of a query, in PostgreSQL's words.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        let wanted = json!({ "project": self.project, "sql": sql, "dialect": "postgres" });
        self.control.post("run", &wanted).await
    }

    /// Runs statements in BigQuery's words.
    pub(crate) async fn run_own(&self, sql: &str) {
        let wanted = json!({ "project": self.project, "sql": sql, "dialect": "bigquery" });
        self.control.post("run", &wanted).await;
    }

    /// Lets requests fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        self.control.post("faults", &with(json!({ "project": self.project }), &fault)).await;
    }

    /// Changes switches.
    pub(crate) async fn switch(&self, switches: Value) {
        self.control.post("projects", &with(json!({ "name": self.project }), &switches)).await;
    }

    /// The names of a dataset's tables.
    pub(crate) async fn tables(&self, dataset: &str) -> Vec<String> {
        let path = format!("tables?project={}&dataset={dataset}", self.project);
        let tables = self.control.get(&path).await;
        serde_json::from_value(tables).unwrap()
    }

    /// The jobs that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        self.control.log(&format!("log?project={}", self.project)).await
    }

    /// The sessions of the Storage Read API that came.
    pub(crate) async fn reads(&self) -> Vec<Value> {
        self.control.log(&format!("reads?project={}", self.project)).await
    }

    /// Waits until a job that begins so was canceled.
    pub(crate) async fn until_canceled(&self, begins: &str) {
        self.until(begins, |entry| entry["canceled"] == true).await;
    }

    /// Waits until a job that begins so runs.
    pub(crate) async fn until_taken(&self, begins: &str) {
        self.until(begins, |entry| entry["done"] == false).await;
    }

    async fn until(&self, start: &str, is: impl Fn(&Value) -> bool) {
        let log = format!("log?project={}", self.project);
        let is = |entry: &Value| begins(entry, "sql", start) && is(entry);
        self.control.until(&log, start, is).await;
    }
}

/// Connects Ebb by these settings.
pub(crate) fn source(settings: &Value) -> Arc<dyn Warehouse> {
    control::connect("bigquery", settings, MANAGED_SCHEMA)
}
