//! What a request or a session proves itself by: a token or a password that is given, or a token that a private key
//! signs.

use std::{
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use ebb_core::{Code, Failure, Secret};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::json;

use super::{
    oauth::OAuth,
    sign_in::{PrivateKey, SignIn},
};

/// How long a signed token is good; an hour is the longest that Snowflake takes.
const LIFETIME: Duration = Duration::from_mins(59);
/// A token is signed anew when so little is left of its time.
const RENEWED: Duration = Duration::from_mins(5);

/// What proves whose a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    KeyPair,
    ProgrammaticToken,
    OAuth,
    /// It signs a session in, and never a request of the SQL API.
    Password,
}

impl Kind {
    /// The name of such a token in the requests of the SQL API.
    pub(super) const fn of_request(self) -> &'static str {
        match self {
            Self::KeyPair => "KEYPAIR_JWT",
            Self::ProgrammaticToken => "PROGRAMMATIC_ACCESS_TOKEN",
            Self::OAuth => "OAUTH",
            Self::Password => "SNOWFLAKE",
        }
    }

    /// The name of such a way to sign a session in.
    pub(super) const fn of_session(self) -> &'static str {
        match self {
            Self::KeyPair => "SNOWFLAKE_JWT",
            Self::ProgrammaticToken | Self::OAuth | Self::Password => self.of_request(),
        }
    }
}

/// Gives tokens, or the password.
pub(super) enum Credentials {
    Given { kind: Kind, token: Secret },
    Signed(Box<Signer>),
    Fetched(Box<OAuth>),
}

/// Signs tokens by a private key and keeps the last one while it is good.
pub(super) struct Signer {
    /// `ACCOUNT.USER`
    subject: String,
    /// The subject and the public key's fingerprint.
    issuer: String,
    key: RsaKeyPair,
    last: Mutex<Option<(Secret, Duration)>>,
}

impl Credentials {
    /// Reads what is needed. Fails with `S115` if the key cannot be read.
    pub(super) fn new(sign_in: &SignIn) -> Result<Self, Failure> {
        let given = |kind, token: &Secret| Self::Given { kind, token: token.clone() };
        match sign_in {
            SignIn::Password(password) => Ok(given(Kind::Password, password)),
            SignIn::ProgrammaticToken(token) => Ok(given(Kind::ProgrammaticToken, token)),
            SignIn::OAuth(token) => Ok(given(Kind::OAuth, token)),
            SignIn::OAuthClient(client) => Ok(Self::Fetched(Box::new(OAuth::new(client.clone())))),
            SignIn::KeyPair { account, user, key, passphrase } => {
                let der = private_key(key, passphrase.as_ref())?;
                let key = RsaKeyPair::from_pkcs8(der.as_bytes()).map_err(|error| {
                    unusable(format!("the private key is not an RSA key that can sign: {error}"))
                })?;
                Ok(Self::Signed(Box::new(Signer::new(account, user, key))))
            }
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Given { kind, .. } => *kind,
            Self::Signed(_) => Kind::KeyPair,
            Self::Fetched(_) => Kind::OAuth,
        }
    }

    /// The token of a request now.
    pub(super) async fn token(&self, http: &reqwest::Client) -> Result<Secret, Failure> {
        match self {
            Self::Given { token, .. } => Ok(token.clone()),
            Self::Signed(signer) => signer.token(),
            Self::Fetched(oauth) => oauth.token(http).await,
        }
    }

    /// Whether there may be a better token than the one that was refused.
    pub(super) async fn renew(&self, refused: &Secret) -> bool {
        match self {
            Self::Given { .. } => false,
            Self::Signed(signer) => {
                *signer.last() = None;
                true
            }
            Self::Fetched(oauth) => {
                oauth.forget(refused).await;
                true
            }
        }
    }
}

impl Signer {
    fn new(account: &str, user: &str, key: RsaKeyPair) -> Self {
        // A region after the account's name is no part of it.
        let account = account.split('.').next().unwrap_or(account).to_uppercase();
        let subject = format!("{account}.{}", user.to_uppercase());
        let print = BASE64_STANDARD.encode(digest(&SHA256, &public_key(&key)));
        let issuer = format!("{subject}.SHA256:{print}");
        Self { subject, issuer, key, last: Mutex::new(None) }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Secret, Duration)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn token(&self) -> Result<Secret, Failure> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the service compares the token's time with its own"
        )]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut last = self.last();
        if let Some((token, until)) = &*last
            && now + RENEWED < *until
        {
            return Ok(token.clone());
        }
        let token = self.sign(now)?;
        *last = Some((token.clone(), now + LIFETIME));
        Ok(token)
    }

    fn sign(&self, now: Duration) -> Result<Secret, Failure> {
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "alg": "RS256", "typ": "JWT" }));
        let claims = part(json!({
            "iss": self.issuer,
            "sub": self.subject,
            "iat": now.as_secs(),
            "exp": (now + LIFETIME).as_secs(),
        }));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| unusable("the private key could not sign a token"))?;
        Ok(Secret::new(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// The private key's PKCS#8 form.
fn private_key(key: &PrivateKey, passphrase: Option<&Secret>) -> Result<SecretDocument, Failure> {
    let pem = match key {
        PrivateKey::Text(text) => text.clone(),
        PrivateKey::File(path) => Secret::new(fs::read_to_string(path).map_err(|error| {
            unusable(format!("the private key in `{}` cannot be read", path.display()))
                .help("Correct `private_key_path`, or let the user who runs Ebb read the file")
                .caused_by(error)
        })?),
    };
    let (label, document) = SecretDocument::from_pem(pem.expose().trim())
        .map_err(|_| unusable("the private key is not in PEM form").help(MAKE_KEY))?;
    match (label, passphrase) {
        ("PRIVATE KEY", _) => Ok(document),
        ("ENCRYPTED PRIVATE KEY", Some(passphrase)) => {
            let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                .map_err(|_| unusable("the encrypted private key is damaged").help(MAKE_KEY))?;
            encrypted.decrypt(passphrase.expose()).map_err(|_| {
                unusable("the private key does not open with the passphrase")
                    .help("Correct `private_key_passphrase`")
            })
        }
        ("ENCRYPTED PRIVATE KEY", None) => Err(unusable("the private key has a passphrase")
            .help("Add `private_key_passphrase: ${env:…}`")),
        (_, _) => Err(unusable("the private key is not in PKCS#8 form").help(MAKE_KEY)),
    }
}

const MAKE_KEY: &str = "Make one with `openssl genrsa 2048 | openssl pkcs8 -topk8 -out rsa_key.p8`";

/// The public key as a certificate has it: what its fingerprint is taken of.
fn public_key(key: &RsaKeyPair) -> Vec<u8> {
    /// SEQUENCE { OID rsaEncryption, NULL }
    const RSA: [u8; 15] =
        [0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut bits = vec![0];
    bits.extend_from_slice(key.public_key().as_ref());
    let mut content = RSA.to_vec();
    content.extend(tagged(0x03, &bits));
    tagged(0x30, &content)
}

/// A DER value of a tag.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match significant.as_slice() {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            // At most eight bytes tell the length of what is in memory.
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

fn unusable(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}
