//! The certificate that the server shows and its key, read from files and judged before anybody sees them.

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebb_core::{Code, Failure};
use jiff::Timestamp;
use ring::digest::{Context, Digest, SHA256};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::sync::watch;
use x509_cert::der::Decode;

/// A certificate with its key, and the files that they come from.
pub struct Certificate {
    files: Files,
    digest: Digest,
    /// From when to when browsers take it, if it says so in a way that is understood.
    valid: Option<[Timestamp; 2]>,
    /// What connections show from now on.
    shown: watch::Sender<Arc<CertifiedKey>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(out)
    }
}

/// Where certificate and key lie.
#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What the files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate, followed by those that lead to its authority, and its key, both in PEM form.
    /// `C501` if a file cannot be read, `C504` if what is in them cannot be used.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, Failure> {
        let files = Files { certificate, key };
        let contents = files.read()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pair = files.pair(&contents, &provider)?;
        let (valid, digest) = (validity(&pair), contents.digest());
        let shown = watch::Sender::new(Arc::new(pair));
        Ok(Self { files, digest, valid, shown, provider })
    }

    /// What an operator should mend, although the server can begin with it.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let Files { certificate, key } = &self.files;
        let (certificate, key) = (certificate.display(), key.display());
        let mut warnings = Vec::new();
        match self.valid {
            Some([_, end]) if end <= now => warnings.push(format!(
                "the certificate in `{certificate}` expired at {end:.0}: browsers refuse it until it is renewed"
            )),
            Some([begin, _]) if now < begin => warnings.push(format!(
                "the certificate in `{certificate}` is not valid before {begin:.0}: browsers refuse it until then"
            )),
            Some(_) | None => {}
        }
        if readable_by_all(&self.files.key) {
            warnings.push(format!(
                "every user of this machine can read the key in `{key}`: `chmod o= {key}`"
            ));
        }
        warnings
    }

    /// Looks at the files again, and shows what they hold from now on; says whether it is something new.
    /// What cannot be used changes nothing.
    pub(super) fn renew(&mut self) -> Result<bool, Failure> {
        let contents = self.files.read()?;
        let digest = contents.digest();
        if digest.as_ref() == self.digest.as_ref() {
            return Ok(false);
        }
        let pair = self.files.pair(&contents, &self.provider)?;
        self.valid = validity(&pair);
        self.digest = digest;
        self.shown.send_replace(Arc::new(pair));
        Ok(true)
    }

    /// The server's side of TLS, which shows what is newest.
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, Failure> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Failure::new(Code::ConfigValue, "TLS cannot be set up").caused_by(error)
            })?;
        let newest = Arc::new(Newest(self.shown.subscribe()));
        let mut config = builder.with_no_client_auth().with_cert_resolver(newest);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Shows each connection the newest certificate.
#[derive(Debug)]
struct Newest(watch::Receiver<Arc<CertifiedKey>>);

impl ResolvesServerCert for Newest {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.borrow()))
    }
}

impl Contents {
    fn digest(&self) -> Digest {
        let mut context = Context::new(&SHA256);
        // With its length, so that nothing can move from one to the other.
        context.update(&self.certificate.len().to_be_bytes());
        context.update(&self.certificate);
        context.update(&self.key);
        context.finish()
    }
}

impl Files {
    fn read(&self) -> Result<Contents, Failure> {
        let read = |option: &str, path: &Path| {
            fs::read(path).map_err(|error| {
                let message = format!(
                    "the file of `{option}`, `{}`, cannot be read: {error}",
                    path.display()
                );
                Failure::new(Code::FileMissing, message)
                    .help("Correct the path, and let the user who runs Ebb read the file")
            })
        };
        Ok(Contents {
            certificate: read("--tls-cert", &self.certificate)?,
            key: read("--tls-key", &self.key)?,
        })
    }

    fn pair(
        &self,
        contents: &Contents,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, Failure> {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        let wrong = |message: String| Failure::new(Code::ConfigValue, message);
        let no_key = |why: &str| {
            wrong(format!("the file of `--tls-key`, `{key}`, {why}"))
                .help("Give the private key in PEM form, without a passphrase")
        };
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(&contents.certificate).filter_map(Result::ok).collect();
        if chain.is_empty() {
            let message =
                format!("the file of `--tls-cert`, `{certificate}`, holds no certificate");
            return Err(wrong(message).help(
                "Give the certificate in PEM form, followed by those that lead to its authority",
            ));
        }
        let given = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|error| no_key("holds no private key").caused_by(error))?;
        let loaded = provider.key_provider.load_private_key(given);
        let loaded =
            loaded.map_err(|error| no_key("holds a key that cannot be used").caused_by(error))?;
        let pair = CertifiedKey::new(chain, loaded);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
                Ok(pair)
            }
            Err(rustls::Error::InconsistentKeys(_)) => {
                let message = format!(
                    "the key in `{key}` does not belong to the certificate in `{certificate}`"
                );
                Err(wrong(message).help(
                    "Give the key that the certificate was made for; of several certificates the server's own comes first",
                ))
            }
            Err(error) => {
                let message = format!("the certificate in `{certificate}` cannot be used: {error}");
                Err(wrong(message).help("Have the certificate issued anew"))
            }
        }
    }
}

fn validity(pair: &CertifiedKey) -> Option<[Timestamp; 2]> {
    let parsed = x509_cert::Certificate::from_der(pair.cert.first()?).ok()?;
    let validity = parsed.tbs_certificate.validity;
    let moment = |time: x509_cert::time::Time| {
        Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
    };
    Some([moment(validity.not_before)?, moment(validity.not_after)?])
}

fn readable_by_all(path: &Path) -> bool {
    const READ_BY_OTHERS: u32 = 0o004;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & READ_BY_OTHERS != 0)
}
