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
    database: String,
    /// Where the double speaks TDS, and whom it trusts.
    place: Value,
}

impl Double {
    /// A fresh database of a product (`sqlserver`, `synapse`); `None` if the double does not run.
    pub(crate) async fn start(product: &str) -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "how the test script names the double")]
        let url = std::env::var("EBB_TEST_AZURE_URL").ok()?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // the runner may start every test in a process of its own
        let database = format!("test_{}_{number}", process::id());
        let mut double = Self { http: client(), url, database, place: Value::Null };
        let wanted = json!({ "name": double.database, "engine": product });
        double.place = double.post("/_double/databases", &wanted).await;
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

    /// Settings of the source with a login's password.
    pub(crate) fn settings(&self) -> Value {
        self.settings_with(&json!({ "user": "sa", "password": "Passw0rd!" }))
    }

    /// Settings with these credentials, or others in place of what is usual.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let mut settings = json!({
            "hostname": self.place["hostname"], "port": self.place["port"],
            "database": self.database, "sslrootcert": self.place["ca"],
        });
        settings.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        settings
    }

    /// Settings of an application that the double's Entra ID knows.
    pub(crate) fn application(&self) -> Value {
        self.settings_with(&json!({
            "tenant_id": "acme", "client_id": "ebb-app", "client_secret": "s3cret", "authority": self.url,
        }))
    }

    /// Runs statements, any number of them.
    pub(crate) async fn run(&self, sql: &str) {
        self.value(sql).await;
    }

    /// The first value of the last result.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let body = json!({ "database": self.database, "sql": sql });
        let answer = self.post("/_double/run", &body).await;
        answer["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Lets something fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let mut wanted = json!({ "database": self.database });
        wanted.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        self.post("/_double/faults", &wanted).await;
    }

    /// Makes every token that was given worthless.
    pub(crate) async fn expire_tokens(&self) {
        self.post("/_double/tokens", &json!({})).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        let address = format!("{}/_double/log?database={}", self.url, self.database);
        let answer = self.http.get(address).send().await.unwrap();
        let log: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        log.as_array().unwrap().clone()
    }

    /// Waits until a statement that contains this is so.
    pub(crate) async fn until(&self, contains: &str, is: impl Fn(&Value) -> bool) {
        for _ in 0..200 {
            let log = self.log().await;
            let contains = |entry: &&Value| entry["sql"].as_str().unwrap().contains(contains);
            if log.iter().filter(contains).any(&is) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{contains}` never came so far");
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
    ebb_warehouse::connect("azure", &settings, MANAGED_SCHEMA, &Limits::default()).unwrap()
}
