//! What went wrong on the way to a service.

use std::{error::Error, time::Duration};

use ebb_core::{Code, Failure};
use reqwest::StatusCode;

use super::Service;

impl Service {
    /// An answer that is none of those the interface promises; `told` is what it says.
    pub(crate) fn unexpected(&self, status: StatusCode, told: &str) -> Failure {
        let (name, number) = (self.name, status.as_u16());
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let message = format!("{name} answered `{number}` again and again: {told}");
            return Failure::new(Code::SourceLost, message)
                .help("Run the sync again later; nothing was lost");
        }
        Failure::new(Code::SourceUnreachable, format!("{name} answered `{number}`: {told}"))
            .help(format!("Correct {} in the source's settings", self.settings))
    }

    /// A request that got no answer. What the HTTP library says of it names the address alone.
    pub(crate) fn unanswered(&self, error: reqwest::Error) -> Failure {
        let address = &self.address;
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
                .help(format!("Correct {}, and see that this machine may reach it", self.settings))
        } else {
            lost(&why)
        };
        failure.caused_by(error)
    }
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

/// A service's words and the code it gives them, in one line.
pub(crate) fn one_line(words: &str, code: &str) -> String {
    let words: Vec<_> = words.split_whitespace().collect();
    let words = words.join(" ");
    match (words.as_str(), code) {
        ("", "") => "no reason was given".to_owned(),
        ("", code) => format!("code {code}"),
        (_, "") => words,
        (_, code) => format!("{words} (code {code})"),
    }
}

/// The TLS library's error, if the HTTP library's was caused by one. Another try does not mend it.
pub(super) fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = Error::source(error);
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
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
