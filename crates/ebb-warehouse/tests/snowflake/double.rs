//! A database of its own on the test double, and its switches.

use std::sync::Arc;

use ebb_core::{config::MANAGED_SCHEMA, port::Warehouse};
use serde_json::{Value, json};

use crate::control::{self, Control, answer, begins, unique, with};

/// The test double, as one test sees it.
pub(crate) struct Double {
    control: Control,
    pub(crate) database: String,
}

impl Double {
    /// A fresh database with these switches; `None` if the double does not run.
    pub(crate) async fn start(switches: Value) -> Option<Self> {
        let control = Control::of("EBB_TEST_SNOWFLAKE_URL")?;
        let double = Self { control, database: format!("TEST_{}", unique()) };
        let wanted = with(json!({ "name": double.database }), &switches);
        double.control.post("databases", &wanted).await;
        Some(double)
    }

    /// The database that settings name.
    pub(crate) fn again(settings: &Value) -> Self {
        let text = |key: &str| settings[key].as_str().unwrap().to_owned();
        Self { control: Control::at(text("host")), database: text("database") }
    }

    /// Settings of the source with a programmatic access token.
    pub(crate) fn settings(&self) -> Value {
        json!({ "host": self.control.url, "database": self.database, "token": "dev-pat", "role": "EBB" })
    }

    /// Settings with others in place of the token.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let mut settings = self.settings();
        settings.as_object_mut().unwrap().remove("token");
        with(settings, others)
    }

    /// Settings with user and password, which sign sessions in.
    pub(crate) fn settings_with_password(&self) -> Value {
        self.settings_with(&json!({ "user": "svc", "password": "snow" }))
    }

    /// The sessions that signed in.
    pub(crate) async fn sessions(&self) -> Vec<Value> {
        self.control.log(&format!("sessions?database={}", self.database)).await
    }

    /// Lets the tokens of all sessions expire; without their `master` they can be renewed.
    pub(crate) async fn expire(&self, what: &str) {
        let wanted = json!({ "database": self.database, "what": what });
        self.control.post("expire", &wanted).await;
    }

    /// Waits until so many sessions ended.
    pub(crate) async fn until_ended(&self, sessions: usize) {
        let list = format!("sessions?database={}", self.database);
        let mut ended = 0;
        for _ in 0..200 {
            let all = self.control.log(&list).await;
            ended = all.iter().filter(|session| session["ended"] == true).count();
            if ended >= sessions {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{ended} sessions ended");
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
        let request = self.control.request("/api/v2/statements", &body);
        let request = request
            .bearer_auth("dev-pat")
            .header("User-Agent", "test")
            .header("X-Snowflake-Authorization-Token-Type", "PROGRAMMATIC_ACCESS_TOKEN");
        answer(request).await
    }

    /// Lets requests fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        let wanted = with(json!({ "database": self.database, "count": 1 }), &fault);
        self.control.post("faults", &wanted).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        self.control.log(&format!("log?database={}", self.database)).await
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
        let log = format!("log?database={}", self.database);
        let is = |entry: &Value| begins(entry, "statement", start) && is(entry);
        self.control.until(&log, start, is).await;
    }

    /// The kinds of grants for which tokens of a scope were given.
    pub(crate) async fn grants(&self, scope: &str) -> Value {
        self.control.get(&format!("grants?scope={scope}")).await
    }

    /// The private key of the double's user, and the passphrase of its encrypted form.
    pub(crate) async fn key(&self) -> Value {
        self.control.get("key").await
    }
}

/// Connects Ebb by these settings.
pub(crate) fn source(settings: &Value) -> Arc<dyn Warehouse> {
    control::connect("snowflake", settings, MANAGED_SCHEMA)
}
