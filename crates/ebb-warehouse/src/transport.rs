//! HTTP with the services that warehouses are: one client for all of them, and why a request got no
//! answer.

use std::{error::Error, io, sync::Arc, time::Duration};

use ebb_core::{Code, Failure};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

/// No byte for so long means that nobody answers; Snowflake holds an answer back for 45 s at most.
const IDLE: Duration = Duration::from_mins(2);

/// A client that trusts whom the system trusts. Fails with `S104` if it cannot be set up.
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

/// The failure of a request that got no answer. `settings` are those that say where it went to.
pub(crate) fn unanswered(error: reqwest::Error, address: &Url, settings: &str) -> Failure {
    // A path may hold names, and a query more.
    let error = error.without_url();
    let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", address.host_str().unwrap_or_default());
    let why = root_cause(&error);
    if let Some(tls) = tls_error(&error) {
        return Failure::new(Code::SourceTls, format!("TLS with `{host}` failed: {tls}"))
            .help("See that no proxy stands between, or that the system trusts its authority")
            .caused_by(error);
    }
    let failure = if error.is_connect() {
        Failure::new(Code::SourceUnreachable, format!("cannot connect to `{host}`: {why}"))
            .help(format!("Correct {settings}, and see that this machine may reach it"))
    } else {
        Failure::new(Code::SourceLost, format!("the connection to the source was lost: {why}"))
    };
    failure.caused_by(error)
}

/// Whether a request failed by its certificate or the like, which another try does not mend.
pub(crate) fn is_tls(error: &reqwest::Error) -> bool {
    tls_error(error).is_some()
}

/// The TLS library's error, if the HTTP library's was caused by one.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = wrapped.and_then(|wrapped| wrapped.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls.or_else(|| inner.downcast_ref()) {
            return Some(tls);
        }
        cause = inner.source();
    }
    None
}

/// The words of the innermost error.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
