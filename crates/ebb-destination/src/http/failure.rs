//! Why no answer came.

use std::error::Error;

use ebb_core::{Code, Failure};

use super::reach::OutOfReach;

/// The failure of a request that got no answer. Names the host alone: the rest of an address may
/// hold secrets.
pub fn no_answer(url: &str, error: reqwest::Error) -> Failure {
    let host = url::Url::parse(url).ok();
    let host = host.as_ref().and_then(url::Url::host_str).unwrap_or("the destination").to_owned();
    let error = error.without_url();
    if chain(&error).any(<dyn Error>::is::<OutOfReach>) {
        return out_of_reach(&host).caused_by(error);
    }
    if let Some(reason) = certificate(&error) {
        return Failure::new(
            Code::DestinationTls,
            format!("the certificate of `{host}` was not accepted: {reason}"),
        )
        .caused_by(error);
    }
    let what = if error.is_timeout() {
        "did not answer in time".to_owned()
    } else if error.is_connect() {
        format!("cannot be reached: {}", root(&error))
    } else {
        format!("broke off: {}", root(&error))
    };
    Failure::new(Code::DestinationUnreachable, format!("`{host}` {what}")).caused_by(error)
}

/// The failure of a request that may not go to its host.
pub(super) fn out_of_reach(host: &str) -> Failure {
    Failure::new(
        Code::DestinationAddress,
        format!("`{host}` is not asked: its address is inside the network that Ebb runs in"),
    )
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |error: &&(dyn Error + 'static)| (*error).source())
}

fn root(error: &reqwest::Error) -> String {
    chain(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The TLS error that a cause is or wraps. An I/O error shows what it wraps by `get_ref`, not as
/// its source, and may wrap another.
fn tls<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    tls(cause.downcast_ref::<std::io::Error>()?.get_ref()?)
}

/// What is wrong with a certificate, if that is what stood in the way.
#[expect(clippy::wildcard_enum_match_arm, reason = "most of what TLS can complain of is not this")]
fn certificate(error: &reqwest::Error) -> Option<String> {
    match chain(error).find_map(tls)? {
        rustls::Error::InvalidCertificate(reason) => Some(match reason {
            rustls::CertificateError::Expired | rustls::CertificateError::ExpiredContext { .. } => {
                "it has expired".to_owned()
            }
            rustls::CertificateError::UnknownIssuer => "its authority is not known here".to_owned(),
            rustls::CertificateError::NotValidForName
            | rustls::CertificateError::NotValidForNameContext { .. } => {
                "it is for another name".to_owned()
            }
            other => other.to_string(),
        }),
        _ => None,
    }
}
