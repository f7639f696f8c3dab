//! Why a handshake failed, in words.

use ebb_core::{Code, Failure};
use rustls::CertificateError;

/// The failure of a handshake with a host.
pub fn refused(error: &rustls::Error, host: &str) -> Failure {
    use CertificateError as Refused;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others keep the library's words")]
    let message = match error {
        rustls::Error::InvalidCertificate(Refused::Expired | Refused::ExpiredContext { .. }) => {
            format!("the certificate of `{host}` has expired")
        }
        rustls::Error::InvalidCertificate(
            Refused::NotValidYet | Refused::NotValidYetContext { .. },
        ) => format!("the certificate of `{host}` is not valid yet"),
        rustls::Error::InvalidCertificate(
            Refused::NotValidForName | Refused::NotValidForNameContext { .. },
        ) => format!("the server's certificate is not for `{host}`"),
        // An authority of the same name as the trusted one shows by its signature.
        rustls::Error::InvalidCertificate(Refused::UnknownIssuer | Refused::BadSignature) => {
            format!("the certificate of `{host}` comes from an authority that is not trusted")
        }
        other => format!("TLS with `{host}` failed: {other}"),
    };
    Failure::new(Code::SourceTls, message)
}
