//! A project of its own on the test double, and its switches.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ebb_core::{
    Limits,
    config::{MANAGED_SCHEMA, Settings},
    port::Warehouse,
};
use reqwest::Client;
use serde_json::{Value, json};

/// The test double, as one test sees it.
pub(crate) struct Double {
    http: Client,
    url: String,
    pub(crate) project: String,
    /// The service account's key, and the configuration of a federated workload.
    pub(crate) key: Value,
}

impl Double {
    /// A fresh project with these switches; `None` if the double does not run.
    pub(crate) async fn start(switches: Value) -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "how the test script names the double")]
        let url = std::env::var("EBB_TEST_BIGQUERY_URL").ok()?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // the runner may start every test in a process of its own
        let project = format!("test-{}-{number}", process::id());
        let mut double = Self { http: client(), url, project, key: Value::Null };
        double.switch(switches).await;
        double.key = double.get("key").await;
        Some(double)
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/_double/{path}", self.url)).body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}/_double/{path}", self.url)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Settings of the source with a service account.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "endpoint": self.url, "project": self.project, "dataset": "shop",
            "credentials": self.key["service_account"].to_string(),
        })
    }

    /// Runs statements by the double's own client, any number of them, in PostgreSQL's words.
    pub(crate) async fn run(&self, sql: &str) {
        self.value(sql).await;
    }

    /// The first value of a query, in PostgreSQL's words.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        self.post("run", &json!({ "project": self.project, "sql": sql, "dialect": "postgres" }))
            .await
    }

    /// Runs statements in BigQuery's words.
    pub(crate) async fn run_own(&self, sql: &str) {
        self.post("run", &json!({ "project": self.project, "sql": sql, "dialect": "bigquery" }))
            .await;
    }

    /// Lets requests fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let mut wanted = json!({ "project": self.project });
        wanted.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        self.post("faults", &wanted).await;
    }

    /// Changes switches.
    pub(crate) async fn switch(&self, switches: Value) {
        let mut wanted = json!({ "name": self.project });
        wanted.as_object_mut().unwrap().extend(switches.as_object().unwrap().clone());
        self.post("projects", &wanted).await;
    }

    /// The names of a dataset's tables.
    pub(crate) async fn tables(&self, dataset: &str) -> Vec<String> {
        let tables = self.get(&format!("tables?project={}&dataset={dataset}", self.project)).await;
        serde_json::from_value(tables).unwrap()
    }

    /// The jobs that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        let log = self.get(&format!("log?project={}", self.project)).await;
        log.as_array().unwrap().clone()
    }

    /// Waits until a job that begins so was canceled.
    pub(crate) async fn until_canceled(&self, begins: &str) {
        self.until(begins, |entry| entry["canceled"] == true).await;
    }

    /// Waits until a job that begins so runs.
    pub(crate) async fn until_taken(&self, begins: &str) {
        self.until(begins, |entry| entry["done"] == false).await;
    }

    async fn until(&self, begins: &str, is: impl Fn(&Value) -> bool) {
        for _ in 0..200 {
            let log = self.log().await;
            let begins = |entry: &&Value| entry["sql"].as_str().unwrap().starts_with(begins);
            if log.iter().filter(begins).any(&is) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{begins}` never came so far");
    }
}

#[expect(clippy::disallowed_methods, reason = "it talks to the double alone")]
fn client() -> Client {
    // Another test of the process may have said the same.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::new()
}

/// Connects Ebb by these settings.
pub(crate) fn source(settings: &Value) -> Arc<dyn Warehouse> {
    let settings: Settings = settings.as_object().unwrap().clone().into();
    ebb_warehouse::connect("bigquery", &settings, MANAGED_SCHEMA, &Limits::default()).unwrap()
}
