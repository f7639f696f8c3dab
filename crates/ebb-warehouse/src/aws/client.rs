//! Signed requests, sent again where that may help.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use http::Request;
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, OsEnv, Signer};
use reqwest::RequestBuilder;
use ring::digest::{SHA256, digest};
use tokio::time;

use super::{
    keys,
    refused::Refused,
    settings::AwsSettings,
    surroundings::{Files, Sender},
};
use crate::http::{Repeat, Service, client};

/// So often is a request sent that is told to come less often.
const ATTEMPTS: u32 = 5;
/// The wait after the first of them; it doubles from one to the next.
const WAIT: Duration = Duration::from_millis(300);

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

impl Aws {
    /// A client by these settings; nothing is sent yet.
    pub(crate) fn new(settings: AwsSettings) -> Result<Self, Failure> {
        let http = client(settings.connect_timeout)?;
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
    pub(crate) async fn send(&self, ask: Ask) -> Result<Result<Bytes, Refused>, Failure> {
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            let signed = self.signed(&ask).await?;
            let mut address = signed.url().clone();
            address.set_path("/");
            let service = Service {
                name: "AWS",
                interface: "AWS",
                settings: "`region` or `aws_endpoint`",
                address,
            };
            // The body is here and not a stream, so that there can be another of the same.
            let again = |_| match signed.try_clone() {
                Some(request) => RequestBuilder::from_parts(self.sender.http.clone(), request),
                None => self.sender.http.get(signed.url().clone()),
            };
            let reply = service.send(Repeat::Freely, again).await?;
            if reply.status.is_success() {
                return Ok(Ok(reply.body));
            }
            let refused = Refused::read(reply.status, &reply.body);
            attempt += 1;
            if refused.is_expired() && !renewed {
                renewed = true;
                self.forget();
            } else if refused.is_too_often() && attempt < ATTEMPTS {
                time::sleep(WAIT * 2_u32.pow(attempt - 1)).await;
            } else {
                return Ok(Err(refused));
            }
        }
    }

    /// Sends a request that must not be refused.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Bytes, Failure> {
        let wanted = ask.wanted;
        self.send(ask).await?.map_err(|refused| refused.failure(wanted))
    }

    fn forget(&self) {
        let signer = keys::signer(&self.settings, &self.context);
        *self.signer.lock().unwrap_or_else(PoisonError::into_inner) = signer;
    }

    async fn signed(&self, ask: &Ask) -> Result<reqwest::Request, Failure> {
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
        request.map_err(|error| broken(Box::new(error)))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes what is written to it");
        text
    })
}
