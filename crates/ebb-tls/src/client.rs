//! Encryption as libpq has it: six modes, from none to a certificate that names the host.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use ebb_core::{Code, Failure};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
    client::{
        WantsClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

/// How strict the connection is about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// In clear, unless the server insists.
    Allow,
    /// Encrypted, unless the server cannot.
    Prefer,
    /// Encrypted; the certificate is judged only if `sslrootcert` is given.
    Require,
    /// Encrypted; the certificate comes from a trusted authority.
    VerifyCa,
    /// The same, and the certificate names the host.
    VerifyFull,
}

impl SslMode {
    /// Every mode, from lax to strict.
    pub const ALL: [Self; 6] =
        [Self::Disable, Self::Allow, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// The mode as settings name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// What is asked of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    None,
    Authority,
    AuthorityAndName,
}

/// The client's side of TLS: judges the server as a mode asks, by the authorities of `root` or else the
/// system's, and shows its own certificate if it has one (with its key). Reads certificates from files, so
/// that renewed ones count from the next connection on.
pub fn client_config(
    mode: SslMode,
    root: Option<&Path>,
    own: Option<(&Path, &Path)>,
) -> Result<ClientConfig, Failure> {
    let builder = judging(mode, root)?;
    let Some((certificate, key)) = own else {
        return Ok(builder.with_no_client_auth());
    };
    let certificates = certificates("sslcert", certificate)?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("sslkey", key, &error.to_string()))?;
    builder.with_client_auth_cert(certificates, key).map_err(|error| {
        Failure::new(
            Code::SourceTls,
            format!("the client's certificate and key do not fit: {error}"),
        )
        .help("Give the certificate as `sslcert` and its own private key as `sslkey`")
    })
}

/// The client's side of TLS without a certificate of its own.
pub fn anonymous(mode: SslMode, root: Option<&Path>) -> Result<ClientConfig, Failure> {
    client_config(mode, root, None)
}

/// A client that judges the server's certificate as a mode asks.
fn judging(
    mode: SslMode,
    root: Option<&Path>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Failure> {
    let provider = Arc::new(ring::default_provider());
    let judgement = match (mode, root) {
        (SslMode::VerifyFull, _) => Judgement::AuthorityAndName,
        (SslMode::VerifyCa, _) => Judgement::Authority,
        // As in libpq: who names an authority wants it to be asked, whatever the mode.
        (SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require, Some(_)) => {
            Judgement::Authority
        }
        (SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require, None) => {
            Judgement::None
        }
    };
    let verifier = Verifier::new(judgement, root, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Code::SourceTls, error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(builder)
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(key, path, &error.to_string()))?;
    if found.is_empty() { Err(unreadable(key, path, "it holds no certificate")) } else { Ok(found) }
}

fn unreadable(key: &str, path: &Path, why: &str) -> Failure {
    let message = format!("the file of `{key}`, `{}`, cannot be used: {why}", path.display());
    Failure::new(Code::SourceSettings, message).help("Give the path of a PEM file")
}

/// The authorities that the system trusts, read once.
fn system_roots() -> RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
        .clone()
}

#[derive(Debug)]
struct Verifier {
    judgement: Judgement,
    provider: Arc<CryptoProvider>,
    /// Absent where nothing is asked of the certificate.
    inner: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that are trusted as they are.
    pinned: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(
        judgement: Judgement,
        root: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Failure> {
        let mut pinned = Vec::new();
        let inner = if judgement == Judgement::None {
            None
        } else {
            let roots = match root {
                Some(path) => {
                    pinned = certificates("sslrootcert", path)?;
                    let mut roots = RootCertStore::empty();
                    roots.add_parsable_certificates(pinned.iter().cloned());
                    roots
                }
                None => system_roots(),
            };
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                    .build();
            Some(built.map_err(|error| {
                Failure::new(Code::SourceTls, format!("no authority can be trusted: {error}"))
                    .help("Name the authority's PEM file with `sslrootcert`")
            })?)
        };
        Ok(Self { judgement, provider: Arc::clone(provider), inner, pinned })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        let judged = inner.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match judged {
            // The name is judged last: everything else was accepted.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.judgement == Judgement::Authority => Ok(ServerCertVerified::assertion()),
            // A server's self-signed certificate that is itself the trusted one, as the server's
            // manual makes it. It is judged after the certificate's dates.
            Err(Error::InvalidCertificate(CertificateError::Other(ref other)))
                if other.to_string().contains("CaUsedAsEndEntity")
                    && self.pinned.iter().any(|pinned| pinned == certificate) =>
            {
                if self.judgement == Judgement::AuthorityAndName {
                    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
