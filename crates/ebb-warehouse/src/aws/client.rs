//! Signed requests, sent again where that may help.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use http::{HeaderMap, Request, header::RETRY_AFTER};
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, OsEnv, Signer};
use ring::digest::{SHA256, digest};
use tokio::time;
use url::Url;

use super::{
    keys,
    refused::Refused,
    settings::AwsSettings,
    surroundings::{Files, Sender},
};
use crate::transport;

/// So often is a request sent that gets no answer, or one that says to come back later.
const ATTEMPTS: u32 = 5;
/// The wait after the first of them; it doubles from one to the next.
const WAIT: Duration = Duration::from_millis(300);
/// The longest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Talks to Amazon Web Services.
pub(crate) struct Aws {
    sender: Sender,
    context: Context,
    settings: AwsSettings,
    /// Keeps the keys that were found.
    signer: Mutex<Signer<Credential>>,
}

/// A request that has not been signed.
pub(crate) struct Ask {
    /// The name of the service in signatures.
    pub(crate) service: &'static str,
    pub(crate) request: Request<Bytes>,
    /// What it asks for, as in `AWS did not …`.
    pub(crate) wanted: &'static str,
}

/// An answer that is no refusal.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Aws {
    /// A client by these settings; nothing is sent yet.
    pub(crate) fn new(settings: AwsSettings) -> Result<Self, Failure> {
        let http = transport::client(settings.connect_timeout)?;
        let sender = Sender { http, endpoint: settings.endpoint.clone() };
        let context =
            Context::new().with_env(OsEnv).with_file_read(Files).with_http_send(sender.clone());
        let signer = Mutex::new(keys::signer(&settings, &context));
        Ok(Self { sender, context, settings, signer })
    }

    /// The region that is asked.
    pub(crate) fn region(&self) -> &str {
        &self.settings.region
    }

    /// The host of a service in the region, such as `redshift`.
    pub(crate) fn host(&self, service: &str) -> String {
        let region = self.region();
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("{service}.{region}.amazonaws.com{china}")
    }

    /// Sends a request; one that no key was good for any more, once again with a fresh one. The inner
    /// error is what the service says when it refuses.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Result<Answer, Refused>, Failure> {
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            let (request, address) = self.signed(&ask).await?;
            attempt += 1;
            let backoff = WAIT * 2_u32.pow(attempt.min(ATTEMPTS) - 1);
            let wait = match answer(self.sender.http.execute(request).await).await {
                Ok((status, answer)) if status.is_success() => return Ok(Ok(answer)),
                Ok((status, answer)) => {
                    let refused = Refused::read(status, &answer.body);
                    if refused.is_expired() && !renewed {
                        renewed = true;
                        self.forget();
                        continue;
                    }
                    if !refused.may_pass() || attempt >= ATTEMPTS {
                        return Ok(Err(refused));
                    }
                    let asked = answer.headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
                    asked.and_then(|it| it.parse().ok()).map_or(backoff, Duration::from_secs)
                }
                Err(error) => {
                    // An address that nobody answers at is told soon.
                    let attempts = if error.is_connect() { 2 } else { ATTEMPTS };
                    if transport::is_tls(&error) || attempt >= attempts {
                        let settings = "`region` or `aws_endpoint`";
                        return Err(transport::unanswered(error, &address, settings));
                    }
                    backoff
                }
            };
            tracing::debug!(attempt, ?wait, service = ask.service, "AWS is asked again");
            time::sleep(wait.min(LONGEST_WAIT)).await;
        }
    }

    /// Sends a request that must not be refused.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        let wanted = ask.wanted;
        self.send(ask).await?.map_err(|refused| refused.failure(wanted))
    }

    fn forget(&self) {
        let signer = keys::signer(&self.settings, &self.context);
        *self.signer.lock().unwrap_or_else(PoisonError::into_inner) = signer;
    }

    async fn signed(&self, ask: &Ask) -> Result<(reqwest::Request, Url), Failure> {
        let unsigned = |error: reqsign_core::Error| {
            Failure::new(Code::SourceAuth, format!("no key signs a request to AWS: {error}"))
                .help(
                    "Give `access_key_id` and `secret_access_key`, or a `profile`, or run Ebb where AWS gives a role",
                )
                .caused_by(error)
        };
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
            Failure::new(Code::SourceSettings, "a request to AWS cannot be made").caused_by(error)
        };
        let (mut parts, body) = ask.request.clone().into_parts();
        let hash = hexadecimal(digest(&SHA256, &body).as_ref());
        parts
            .headers
            .insert("x-amz-content-sha256", hash.parse().map_err(|error| broken(Box::new(error)))?);
        let signer = self.signer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let service = RequestSigner::new(ask.service, self.region());
        signer.with_request_signer(service).sign(&mut parts, None).await.map_err(unsigned)?;
        let request = self.sender.outgoing(Request::from_parts(parts, body));
        let request = request.map_err(|error| broken(Box::new(error)))?;
        let address = request.url().clone();
        Ok((request, address))
    }
}

/// An answer with its whole body.
async fn answer(
    response: Result<reqwest::Response, reqwest::Error>,
) -> Result<(reqwest::StatusCode, Answer), reqwest::Error> {
    let response = response?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok((status, Answer { headers, body: response.bytes().await? }))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes what is written to it");
        text
    })
}
