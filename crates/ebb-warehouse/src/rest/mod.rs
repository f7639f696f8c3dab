//! What sources have in common that are spoken to by HTTP.

mod attempts;
mod failure;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use reqwest::{RequestBuilder, StatusCode, header::RETRY_AFTER, redirect::Policy};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

pub(crate) use attempts::Attempts;
pub(crate) use failure::{lost, too_long, unanswered};

/// No byte for so long means that nobody answers; no service holds an answer back for longer.
const IDLE: Duration = Duration::from_mins(2);

/// An answer of whatever kind, with its whole body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// How long the service asks to wait before the next request.
    pub(crate) wait: Option<Duration>,
}

/// Sends a request once.
pub(crate) async fn answer(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.header("Accept", "application/json").send().await?;
    let status = response.status();
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    Ok(Reply { status, body: response.bytes().await?, wait })
}

/// A client that trusts the system's authorities and follows no redirect.
pub(crate) fn client(connect_timeout: Duration) -> Result<reqwest::Client, Failure> {
    let unusable = |what: &str| Failure::new(Code::SourceTls, what.to_owned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut authorities = RootCertStore::empty();
    // An odd certificate among the system's is no reason to trust none of them.
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS cannot be set up").caused_by(error))?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .tcp_nodelay(true)
        .connect_timeout(connect_timeout)
        .read_timeout(IDLE)
        .user_agent(concat!("ebb/", env!("CARGO_PKG_VERSION")))
        // What is meant for one host, the token included, is never sent to another.
        .redirect(Policy::none())
        .build()
        .map_err(|error| unusable("the HTTP client cannot be set up").caused_by(error))
}

/// Whether an address is this machine's own, so that plain HTTP shows nothing to anybody.
pub(crate) fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A random UUID, by which a service recognises a request that is sent again.
pub(crate) fn unique() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new(Code::SourceUnreachable, "the system gives no random numbers"))?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0xc << 60) | (0x4 << 76) | (0x8 << 60);
    let digits = format!("{number:032x}");
    let (parts, _) =
        [8, 4, 4, 4, 12].into_iter().fold((Vec::new(), 0), |(mut parts, at), length| {
            parts.push(digits.get(at..at + length).unwrap_or_default());
            (parts, at + length)
        });
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn requests_have_unlike_random_ids() {
        let (one, other) = (unique().unwrap(), unique().unwrap());
        assert_ne!(one, other);
        let lengths: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(one.get(14..15), Some("4"));
        assert!(matches!(one.get(19..20), Some("8" | "9" | "a" | "b")), "{one}");
    }
}
