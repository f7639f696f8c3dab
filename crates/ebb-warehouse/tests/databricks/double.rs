//! Schemas of its own on the test double, and its switches.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ebb_core::{Limits, config::Settings, port::Warehouse};
use reqwest::Client;
use serde_json::{Value, json};

/// The test double, as one test sees it.
pub(crate) struct Double {
    http: Client,
    url: String,
    /// The schema of the test's own tables, by which the double knows its requests.
    pub(crate) schema: String,
}

impl Double {
    /// A fresh schema with these switches; `None` if the double does not run.
    pub(crate) async fn start(switches: Value) -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "how the test script names the double")]
        let url = std::env::var("EBB_TEST_DATABRICKS_URL").ok()?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // the runner may start every test in a process of its own
        let schema = format!("test_{}_{number}", process::id());
        let double = Self { http: client(), url, schema };
        let mut wanted = json!({ "name": double.schema });
        wanted.as_object_mut()?.extend(switches.as_object()?.clone());
        double.post("/_double/schemas", &wanted).await;
        Some(double)
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Settings of the source with a personal access token.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "hostname": self.url, "http_path": "/sql/1.0/warehouses/wh1", "catalog": "main",
            "schema": self.schema, "token": "dev-token",
        })
    }

    /// Settings with others in place of the token.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let mut settings = self.settings();
        let map = settings.as_object_mut().unwrap();
        map.remove("token");
        map.extend(others.as_object().unwrap().clone());
        settings
    }

    /// The schema of Ebb's own tables.
    pub(crate) fn managed(&self) -> String {
        format!("{}_ebb", self.schema)
    }

    /// Connects Ebb by these settings.
    pub(crate) fn source(&self, settings: &Value) -> Arc<dyn Warehouse> {
        let settings: Settings = settings.as_object().unwrap().clone().into();
        let limits = Limits::default();
        ebb_warehouse::connect("databricks", &settings, &self.managed(), &limits).unwrap()
    }

    /// Runs statements by the double's own client, any number of them; the rows of the last.
    pub(crate) async fn run(&self, script: &str) -> Vec<Vec<Option<String>>> {
        let body = json!({ "schema": self.schema, "script": script });
        serde_json::from_value(self.post("/_double/run", &body).await).unwrap()
    }

    /// The first value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.run(sql).await;
        rows.into_iter().flatten().next().flatten().unwrap_or_default()
    }

    /// Lets requests fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let mut wanted = json!({ "schema": self.schema, "count": 1 });
        wanted.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        self.post("/_double/faults", &wanted).await;
    }

    /// Ends every token that a service principal got.
    pub(crate) async fn expire(&self) {
        self.post("/_double/expire", &json!({})).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        let url = format!("{}/_double/log?schema={}", self.url, self.schema);
        let answer = self.http.get(url).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Waits until a statement that begins so was canceled.
    pub(crate) async fn until_canceled(&self, begins: &str) {
        self.until(begins, |entry| entry["canceled"] == true).await;
    }

    /// Waits until a statement that begins so runs.
    pub(crate) async fn until_taken(&self, begins: &str) {
        self.until(begins, |entry| entry["done"] == false).await;
    }

    async fn until(&self, begins: &str, is: impl Fn(&Value) -> bool) {
        for _ in 0..400 {
            let log = self.log().await;
            let begins = |entry: &&Value| entry["statement"].as_str().unwrap().starts_with(begins);
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
