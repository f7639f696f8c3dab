//! HTTP to the services of warehouses: one way to connect, to try again, and to tell what failed.

mod address;
mod failure;
mod tasks;
mod unique;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use reqwest::{ClientBuilder, RequestBuilder, StatusCode, header::RETRY_AFTER, redirect::Policy};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use tokio::time;
use url::Url;

pub(crate) use address::address;
pub(crate) use failure::{lost, one_line, too_long};
pub(crate) use tasks::Tasks;
pub(crate) use unique::unique;

/// So often is a request sent that gets no answer, or one that says to come back later.
pub(crate) const ATTEMPTS: u32 = 6;
/// The wait after the first of them; it doubles from one to the next.
const WAIT: Duration = Duration::from_millis(500);
/// The longest wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// No byte for so long means that nobody answers; services hold an answer back for 45 s at most.
const IDLE: Duration = Duration::from_mins(2);

/// A service, as failures tell of it.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it offers, such as `Snowflake's SQL API`.
    pub(crate) interface: &'static str,
    /// The settings that say where it is.
    pub(crate) settings: &'static str,
    /// Where it is, without a path.
    pub(crate) address: Url,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// When a request may be sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Repeat {
    /// Whenever there is no good answer: what it does may be done twice.
    Freely,
    /// The same, and also after answers by which a service says in its own way to come back later.
    FreelyAfter(fn(&Reply) -> bool),
    /// Only if it surely was not taken.
    IfNotTaken,
}

impl Repeat {
    /// Whether the next answer may be another one soon.
    fn after(self, reply: &Reply) -> bool {
        let status = reply.status;
        match self {
            Self::Freely => status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
            Self::FreelyAfter(says_later) => Self::Freely.after(reply) || says_later(reply),
            Self::IfNotTaken => {
                matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    /// How many attempts are worth it when the last one ended so.
    pub(crate) fn attempts(self, error: &reqwest::Error) -> u32 {
        match self {
            _ if failure::tls_error(error).is_some() => 1,
            // An address that nobody answers at is told soon.
            _ if error.is_connect() => 2,
            Self::Freely | Self::FreelyAfter(_) => ATTEMPTS,
            Self::IfNotTaken => 1,
        }
    }
}

impl Service {
    /// Sends a request, again if it gets no answer or one that says to come back later. `request` is
    /// told how many attempts went before.
    pub(crate) async fn send(
        &self,
        repeat: Repeat,
        request: impl Fn(u32) -> RequestBuilder,
    ) -> Result<Reply, Failure> {
        let mut attempt = 0;
        loop {
            let built = request(attempt);
            attempt += 1;
            let asked = match answer(built).await {
                Ok((reply, asked)) if repeat.after(&reply) && attempt < ATTEMPTS => {
                    drop(reply);
                    asked
                }
                Ok((reply, _)) => return Ok(reply),
                Err(error) if attempt < repeat.attempts(&error) => None,
                // The address may hold a key.
                Err(error) => return Err(self.unanswered(error.without_url())),
            };
            let wait = pause(attempt, asked);
            tracing::debug!(service = self.name, attempt, ?wait, "a service is asked again");
            time::sleep(wait).await;
        }
    }

    /// What an answer says.
    pub(crate) fn parsed<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(body).map_err(|error| {
            let message = format!("what answers is not {}", self.interface);
            Failure::new(Code::SourceUnreachable, message)
                .help(format!("Correct {} in the source's settings", self.settings))
                .caused_by(error)
        })
    }
}

/// How long to wait after so many attempts, the first being 1: as long as the service asks for, if it does.
pub(crate) fn pause(attempts: u32, asked: Option<Duration>) -> Duration {
    let backoff = WAIT * 2_u32.pow(attempts.clamp(1, ATTEMPTS) - 1);
    asked.unwrap_or(backoff).min(LONGEST_WAIT)
}

async fn answer(request: RequestBuilder) -> Result<(Reply, Option<Duration>), reqwest::Error> {
    let response = request.send().await?;
    let status = response.status();
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let asked = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    Ok((Reply { status, body: response.bytes().await? }, asked))
}

/// A client with the system's certificate authorities. Fails with `S104`.
pub(crate) fn client(connect_timeout: Duration) -> Result<reqwest::Client, Failure> {
    built(configured(connect_timeout, tls()?))
}

/// The same for what is spoken by HTTP/2 alone: gRPC. Plain HTTP begins with it, too.
pub(crate) fn client_of_streams(connect_timeout: Duration) -> Result<reqwest::Client, Failure> {
    let mut tls = tls()?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    built(configured(connect_timeout, tls).http2_prior_knowledge().http2_adaptive_window(true))
}

fn tls() -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut authorities = RootCertStore::empty();
    // An odd certificate among the system's is no reason to trust none of them.
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS cannot be set up").caused_by(error))?;
    Ok(versions.with_root_certificates(authorities).with_no_client_auth())
}

fn configured(connect_timeout: Duration, tls: ClientConfig) -> ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .tcp_nodelay(true)
        .connect_timeout(connect_timeout)
        .read_timeout(IDLE)
        .user_agent(concat!("ebb/", env!("CARGO_PKG_VERSION")))
        // What is meant for one host, the token included, is never sent to another.
        .redirect(Policy::none())
}

fn built(builder: ClientBuilder) -> Result<reqwest::Client, Failure> {
    builder.build().map_err(|error| unusable("the HTTP client cannot be set up").caused_by(error))
}

fn unusable(what: &str) -> Failure {
    Failure::new(Code::SourceTls, what.to_owned())
}
