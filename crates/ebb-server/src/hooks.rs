//! What other services tell: dbt Cloud, that a run of a job has ended.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    middleware::from_fn,
    routing::post,
};
use ebb_core::{Code, Failure, Secret, port::Clock};
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    access::Origin,
    app::{App, JobRun},
    body::too_large,
    refusal::{Refusal, as_documents},
};

/// A delivery has about a kilobyte.
const LARGEST: usize = 64 * 1024;
/// What is older was delivered before, or is played back: dbt Cloud tries five times, soon after one another.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// The addresses that other services call. They prove who they are by what they send.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/hooks/dbt-cloud", post(dbt_cloud))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(from_fn(as_documents))
}

/// A delivery of dbt Cloud.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    event_id: String,
    event_type: String,
    timestamp: Timestamp,
    #[serde(default)]
    data: Run,
}

/// The run that it tells of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Run {
    #[serde(rename = "jobId")]
    job: Id,
    #[serde(rename = "runId")]
    id: Id,
    #[serde(rename = "runStatus")]
    status: String,
}

/// A number, which is sent as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl Default for Id {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Id {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl Delivery {
    /// The run, if it ended well.
    fn ended_well(&self) -> Option<JobRun> {
        let Run { job, id, status } = &self.data;
        let well = self.event_type == "job.run.completed" && status == "Success";
        let run = id.number().unwrap_or_default();
        well.then(|| job.number().map(|job| JobRun { job, run })).flatten()
    }
}

/// Starts the mappings that wait for a job of which a run ended well. What does not start anything is answered
/// all the same, so that it is not sent again.
async fn dbt_cloud(
    State(app): State<Arc<App>>,
    Origin(origin): Origin,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let body = body.map_err(|error| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large(LARGEST);
        }
        Failure::new(Code::RequestInvalid, "the delivery did not arrive as a whole")
            .caused_by(error)
    })?;
    let configuration = app.configuration();
    let Some(dbt_cloud) = &configuration.workspace.project.dbt_cloud else {
        let failure = Failure::new(Code::AddressUnknown, "no webhook of dbt Cloud is configured");
        return Err(failure.help("Set `dbt_cloud.webhook_secret` in the project's files").into());
    };
    let mark = headers.get(AUTHORIZATION).and_then(|mark| mark.to_str().ok()).unwrap_or_default();
    if !signed(&dbt_cloud.webhook_secret, &body, mark) {
        app.throttle.count_delivery(origin)?;
        let message = "the delivery is not signed with `dbt_cloud.webhook_secret`";
        let help = "Copy the secret key of the webhook from dbt Cloud to where the project's file takes it from";
        return Err(Failure::new(Code::SignedOut, message).help(help).into());
    }
    let delivery: Delivery = serde_json::from_slice(&body).map_err(|error| {
        Failure::new(Code::RequestInvalid, "this is no delivery of dbt Cloud").caused_by(error)
    })?;
    let now = SystemClock.now();
    if now.duration_since(delivery.timestamp) > OLDEST {
        let message = format!("the delivery is of `{}`, more than a day ago", delivery.timestamp);
        return Err(Failure::new(Code::RequestInvalid, message).into());
    }
    let Some(run) = delivery.ended_well() else { return Ok(Json(json!({ "started": [] }))) };
    let started = app.dbt_cloud_job_ended(&delivery.event_id, run, now, now - OLDEST).await?;
    Ok(Json(json!({ "started": started })))
}

/// Whether a text in hexadecimal digits is the body's authentication code. It takes as long for a wrong one.
fn signed(secret: &Secret, body: &[u8], mark: &str) -> bool {
    let digits = |at| mark.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    let given: Option<Vec<u8>> = (0..mark.len()).step_by(2).map(digits).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    given.is_some_and(|given| hmac::verify(&key, body, &given).is_ok())
}

#[cfg(test)]
mod tests {
    use ebb_core::Secret;

    use super::signed;

    #[test]
    fn a_body_is_signed_by_its_secret_alone() {
        // By `printf hello | openssl dgst -sha256 -hmac secret`.
        let mark = "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b";
        let secret = Secret::new("secret");
        assert!(signed(&secret, b"hello", mark));
        assert!(signed(&secret, b"hello", &mark.to_uppercase()));
        assert!(!signed(&secret, b"hello!", mark));
        assert!(!signed(&Secret::new("other"), b"hello", mark));
        for wrong in
            ["", "8", "88", mark.trim_start_matches('8'), "xx", "ää", &format!("Bearer {mark}")]
        {
            assert!(!signed(&secret, b"hello", wrong), "{wrong}");
        }
    }
}
