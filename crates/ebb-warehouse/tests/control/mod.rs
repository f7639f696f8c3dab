//! What a test says to a test double, beside what Ebb says to it.

use std::{sync::Arc, time::Duration};

use ebb_core::{Limits, config::Settings, port::Warehouse};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// A test double's own interface, below `/_double/`.
pub(crate) struct Control {
    http: Client,
    /// Where the double listens.
    pub(crate) url: String,
}

impl Control {
    /// The double that a variable of the environment names; `None` if it does not run.
    pub(crate) fn of(variable: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "how the test script names the double")]
        std::env::var(variable).ok().map(Self::at)
    }

    /// The double at an address.
    #[expect(clippy::disallowed_methods, reason = "it talks to the double alone")]
    pub(crate) fn at(url: String) -> Self {
        // Another test of the process may have said the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        Self { http: Client::new(), url }
    }

    /// Tells the double something.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/_double/{path}", self.url));
        answer(request.body(body.to_string())).await
    }

    /// Asks the double something.
    pub(crate) async fn get(&self, path: &str) -> Value {
        answer(self.http.get(format!("{}/_double/{path}", self.url))).await
    }

    /// A request to what the double stands for.
    pub(crate) fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).body(body.to_string())
    }

    /// The entries of a log.
    pub(crate) async fn log(&self, path: &str) -> Vec<Value> {
        serde_json::from_value(self.get(path).await).unwrap()
    }

    /// Waits until an entry of a log is so; `what` is waited for.
    pub(crate) async fn until(&self, path: &str, what: &str, is: impl Fn(&Value) -> bool) {
        for _ in 0..400 {
            if self.log(path).await.iter().any(&is) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{what}` never came so far");
    }
}

/// The answer to a request, which must be a good one.
pub(crate) async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Digits that no other test has in a name. A process's number would not do: a run of all tests
/// takes longer than a machine takes to give it out again.
pub(crate) fn unique() -> String {
    fastrand::u64(1_000_000_000_000_000..10_000_000_000_000_000).to_string()
}

/// An object with others' keys.
pub(crate) fn with(mut object: Value, others: &Value) -> Value {
    object.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    object
}

/// Whether a text of a log's entry begins so.
pub(crate) fn begins(entry: &Value, key: &str, begins: &str) -> bool {
    entry[key].as_str().unwrap().starts_with(begins)
}

/// Connects Ebb.
pub(crate) fn connect(kind: &str, settings: &Value, schema: &str) -> Arc<dyn Warehouse> {
    let settings: Settings = settings.as_object().unwrap().clone().into();
    ebb_warehouse::connect(kind, &settings, schema, &Limits::default()).unwrap()
}
