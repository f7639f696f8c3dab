//! Requests without an answer, as failures that a person can act on.

use std::time::Duration;

use ebb_core::{Code, Failure};
use url::Url;

/// A request that got no answer; `settings` names those that say where the service is. What the HTTP
/// library says of it names the address alone.
pub(crate) fn unanswered(error: reqwest::Error, address: &Url, settings: &str) -> Failure {
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
        lost(&why)
    };
    failure.caused_by(error)
}

/// A connection or statement that ended before its work did.
pub(crate) fn lost(why: &str) -> Failure {
    Failure::new(Code::SourceLost, format!("the connection to the source was lost: {why}"))
}

/// A statement that took longer than it may.
pub(crate) fn too_long(limit: Duration) -> Failure {
    let limit = limit.as_secs_f64();
    Failure::new(Code::SourceTimeout, format!("a statement took longer than {limit} s"))
}

/// Whether a request failed by its certificate or the like, which another try does not mend.
pub(super) fn is_tls(error: &reqwest::Error) -> bool {
    tls_error(error).is_some()
}

/// The TLS library's error, if the HTTP library's was caused by one.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
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
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
