//! A database of its own on the test double, and its switches.

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
    pub(crate) database: String,
}

impl Double {
    /// A fresh database with these switches; `None` if the double does not run.
    pub(crate) async fn start(switches: Value) -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "how the test script names the double")]
        let url = std::env::var("EBB_TEST_SNOWFLAKE_URL").ok()?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // the runner may start every test in a process of its own
        let database = format!("TEST_{}_{number}", process::id());
        let double = Self { http: client(), url, database };
        let mut wanted = json!({ "name": double.database });
        wanted.as_object_mut()?.extend(switches.as_object()?.clone());
        double.post("/_double/databases", &wanted).await;
        Some(double)
    }

    /// The database that settings name.
    pub(crate) fn again(settings: &Value) -> Self {
        let text = |key: &str| settings[key].as_str().unwrap().to_owned();
        Self { http: client(), url: text("host"), database: text("database") }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).body(body.to_string());
        let request = request
            .bearer_auth("dev-pat")
            .header("User-Agent", "test")
            .header("X-Snowflake-Authorization-Token-Type", "PROGRAMMATIC_ACCESS_TOKEN");
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Settings of the source with a programmatic access token.
    pub(crate) fn settings(&self) -> Value {
        json!({ "host": self.url, "database": self.database, "token": "dev-pat", "role": "EBB" })
    }

    /// Settings with others in place of the token.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let mut settings = self.settings();
        let map = settings.as_object_mut().unwrap();
        map.remove("token");
        map.extend(others.as_object().unwrap().clone());
        settings
    }

    /// Runs statements by the double's own client, any number of them.
    pub(crate) async fn run(&self, sql: &str) {
        self.statement(sql).await;
    }

    /// The first value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let answer = self.statement(sql).await;
        answer["data"][0][0].as_str().unwrap_or_default().to_owned()
    }

    async fn statement(&self, sql: &str) -> Value {
        let body = json!({
            "statement": sql, "database": self.database, "parameters": { "MULTI_STATEMENT_COUNT": "0" },
        });
        self.post("/api/v2/statements", &body).await
    }

    /// Lets requests fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let mut wanted = json!({ "database": self.database, "count": 1 });
        wanted.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        self.post("/_double/faults", &wanted).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        let log = self.get(&format!("/_double/log?database={}", self.database)).await;
        log.as_array().unwrap().clone()
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
        for _ in 0..200 {
            let log = self.log().await;
            let begins = |entry: &&Value| entry["statement"].as_str().unwrap().starts_with(begins);
            if log.iter().filter(begins).any(&is) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{begins}` never came so far");
    }

    /// The kinds of grants for which tokens of a scope were given.
    pub(crate) async fn grants(&self, scope: &str) -> Value {
        self.get(&format!("/_double/grants?scope={scope}")).await
    }

    /// The private key of the double's user, and the passphrase of its encrypted form.
    pub(crate) async fn key(&self) -> Value {
        self.get("/_double/key").await
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
    ebb_warehouse::connect("snowflake", &settings, MANAGED_SCHEMA, &Limits::default()).unwrap()
}
