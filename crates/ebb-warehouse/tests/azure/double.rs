//! A database of its own on the test double, and its switches.

use std::sync::Arc;

use ebb_core::{config::MANAGED_SCHEMA, port::Warehouse};
use serde_json::{Value, json};

use crate::control::{self, Control, unique, with};

/// The test double, as one test sees it.
pub(crate) struct Double {
    control: Control,
    database: String,
    /// Where the double speaks TDS, and whom it trusts.
    place: Value,
}

impl Double {
    /// A fresh database of a product (`sqlserver`, `synapse`); `None` if the double does not run.
    pub(crate) async fn start(product: &str) -> Option<Self> {
        let control = Control::of("EBB_TEST_AZURE_URL")?;
        let database = format!("test_{}", unique());
        let wanted = json!({ "name": database, "engine": product });
        let place = control.post("databases", &wanted).await;
        let double = Self { control, database, place };
        Some(double)
    }

    /// Settings of the source with a login's password.
    pub(crate) fn settings(&self) -> Value {
        self.settings_with(&json!({ "user": "sa", "password": "Passw0rd!" }))
    }

    /// Settings with these credentials, or others in place of what is usual.
    pub(crate) fn settings_with(&self, others: &Value) -> Value {
        let settings = json!({
            "hostname": self.place["hostname"], "port": self.place["port"],
            "database": self.database, "sslrootcert": self.place["ca"],
        });
        with(settings, others)
    }

    /// Settings of an application that the double's Entra ID knows.
    pub(crate) fn application(&self) -> Value {
        self.settings_with(&json!({
            "tenant_id": "acme", "client_id": "ebb-app", "client_secret": "s3cret", "authority": self.control.url,
        }))
    }

    /// Runs statements, any number of them.
    pub(crate) async fn run(&self, sql: &str) {
        self.value(sql).await;
    }

    /// The first value of the last result.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let body = json!({ "database": self.database, "sql": sql });
        let answer = self.control.post("run", &body).await;
        answer["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Lets something fail; see the double's own words.
    pub(crate) async fn fault(&self, fault: Value) {
        self.control.post("faults", &with(json!({ "database": self.database }), &fault)).await;
    }

    /// Makes every token that was given worthless.
    pub(crate) async fn expire_tokens(&self) {
        self.control.post("tokens", &json!({})).await;
    }

    /// The statements that came.
    pub(crate) async fn log(&self) -> Vec<Value> {
        self.control.log(&format!("log?database={}", self.database)).await
    }

    /// Waits until a statement that contains this is so.
    pub(crate) async fn until(&self, contains: &str, is: impl Fn(&Value) -> bool) {
        let log = format!("log?database={}", self.database);
        let contains_it = |entry: &Value| entry["sql"].as_str().unwrap().contains(contains);
        self.control.until(&log, contains, |entry| contains_it(entry) && is(entry)).await;
    }
}

/// Connects Ebb by these settings.
pub(crate) fn source(settings: &Value) -> Arc<dyn Warehouse> {
    control::connect("azure", settings, MANAGED_SCHEMA)
}
