//! What is asked of a provider: its addresses, its keys, and what a sign-in was about.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use ebb_core::{
    Code, Failure, Secret,
    config::Oidc,
    port::{Body, Header, Reply, Request, Transport},
};
use ebb_destination::Network;
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::{
    id_token::{self, Claims, Disbelief, Expected},
    keys::KeySet,
};

/// What is known of the provider is asked anew after so long.
const LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Somebody waits for these answers.
const PATIENCE: Duration = Duration::from_secs(15);
/// For a key that is not known, keys are asked for at most so often.
const KEYS_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// A provider that can be asked. Any address of the operator's choice may be: only files name it.
pub(super) struct Provider {
    pub(super) oidc: Oidc,
    transport: Arc<dyn Transport>,
    known: Mutex<Option<Arc<Known>>>,
}

/// What was asked, and when.
pub(super) struct Known {
    pub(super) metadata: Metadata,
    keys: KeySet,
    since: Timestamp,
    /// When keys were last asked for because of one that was not known.
    searched: Timestamp,
}

/// A provider's description of itself.
#[derive(Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What a sign-in is exchanged for.
#[derive(Deserialize)]
pub(super) struct Granted {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Metadata {
    /// Where people sign in.
    pub(super) fn entrance(&self) -> Result<Url, Failure> {
        Url::parse(&self.authorization_endpoint).map_err(|error| {
            unavailable("the provider names no page to sign in at").caused_by(error)
        })
    }
}

impl Provider {
    pub(super) fn new(oidc: Oidc) -> Self {
        let network = Network { timeout: PATIENCE, ..Network::default() };
        let transport = ebb_destination::transport(&network, Arc::new(SystemClock));
        Self { oidc, transport, known: Mutex::default() }
    }

    /// What the provider says of itself; asked if that was long ago.
    pub(super) async fn known(&self, now: Timestamp) -> Result<Arc<Known>, Failure> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| now.duration_since(known.since) < LASTS)
        {
            return Ok(Arc::clone(known));
        }
        let issuer = self.oidc.issuer.trim_end_matches('/');
        let address = format!("{issuer}/.well-known/openid-configuration");
        let metadata: Metadata = document(&self.get(&address, None).await?, &address)?;
        if metadata.issuer != self.oidc.issuer {
            let failure = unavailable(&format!("the provider calls itself `{}`", metadata.issuer));
            return Err(failure.help("Write that as `sign_in.oidc.issuer`, letter by letter"));
        }
        let scheme = if issuer.starts_with("https://") { "https://" } else { "http://" };
        let Metadata { authorization_endpoint, token_endpoint, jwks_uri, .. } = &metadata;
        let named = [authorization_endpoint, token_endpoint, jwks_uri];
        if !named.into_iter().chain(&metadata.userinfo_endpoint).all(|url| url.starts_with(scheme))
        {
            return Err(unavailable("the provider names addresses that TLS does not protect"));
        }
        let keys = self.keys(&metadata).await?;
        let made = Known { metadata, keys, since: now, searched: Timestamp::MIN };
        Ok(Arc::clone(known.insert(Arc::new(made))))
    }

    async fn keys(&self, metadata: &Metadata) -> Result<KeySet, Failure> {
        let address = &metadata.jwks_uri;
        let reply = self.get(address, None).await?;
        let keys = (reply.status == 200).then(|| KeySet::read(&reply.body)).flatten();
        keys.ok_or_else(|| unexpected(address, &reply))
    }

    /// Newer keys, unless somebody asked for them just now.
    async fn newer(&self, old: &Arc<Known>, now: Timestamp) -> Result<Arc<Known>, Failure> {
        let mut known = self.known.lock().await;
        if let Some(newer) = known.as_ref().filter(|newer| !Arc::ptr_eq(newer, old)) {
            return Ok(Arc::clone(newer));
        }
        if now.as_second().saturating_sub(old.searched.as_second()) < KEYS_EVERY.as_secs() {
            return Ok(Arc::clone(old));
        }
        let metadata = old.metadata.clone();
        let keys = self.keys(&metadata).await?;
        let made = Known { metadata, keys, since: old.since, searched: now };
        Ok(Arc::clone(known.insert(Arc::new(made))))
    }

    /// Exchanges the code that a browser brought.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        back: &str,
    ) -> Result<Granted, Failure> {
        let address = &metadata.token_endpoint;
        let request = self.token_request(metadata, code, verifier, back);
        let reply = self.transport.send(&request).await.map_err(|failure| no_answer(&failure))?;
        if reply.status == 200 {
            return document(&reply, address);
        }
        let refused = serde_json::from_slice::<Refused>(&reply.body);
        let Ok(Refused { error }) = refused else { return Err(unexpected(address, &reply)) };
        let (host, error) = (host(address), word(&error));
        if error == "invalid_grant" {
            let message = format!("`{host}` does not know the sign-in any more: `{error}`");
            return Err(Failure::new(Code::SignInStale, message));
        }
        Err(unavailable(&format!("`{host}` refused the client: `{error}`")).help(
            "Ask who runs the server to compare `client_id` and `client_secret` with the provider's settings",
        ))
    }

    fn token_request(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        back: &str,
    ) -> Request {
        let Oidc { client_id, client_secret, .. } = &self.oidc;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", verifier);
        let mut headers = vec![
            header("content-type", "application/x-www-form-urlencoded"),
            header("accept", "application/json"),
        ];
        let ways = metadata.token_endpoint_auth_methods_supported.as_deref();
        let takes = |way: &str| ways.is_some_and(|ways| ways.iter().any(|name| name == way));
        match client_secret {
            Some(secret) if takes("client_secret_post") && !takes("client_secret_basic") => {
                form.append_pair("client_id", client_id);
                form.append_pair("client_secret", secret.expose());
            }
            Some(secret) => headers.push(basic(client_id, secret)),
            None => {
                form.append_pair("client_id", client_id);
            }
        }
        Request {
            method: "POST".to_owned(),
            url: metadata.token_endpoint.clone(),
            headers,
            body: Body::Form(form.finish().into()),
        }
    }

    /// What the provider says of whom it signed in.
    pub(super) async fn claims(
        &self,
        mut known: Arc<Known>,
        granted: &Granted,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Claims, Failure> {
        let Oidc { issuer, client_id, .. } = &self.oidc;
        let expected = Expected { issuer, client_id, nonce, now };
        let mut read = id_token::read(&granted.id_token, &known.keys, expected);
        if read == Err(Disbelief::UnknownKey) {
            known = self.newer(&known, now).await?;
            read = id_token::read(&granted.id_token, &known.keys, expected);
        }
        let mut claims = read.map_err(|disbelief| {
            let what = match disbelief {
                Disbelief::UnknownKey => "is signed by a key that the provider does not publish",
                Disbelief::Wrong(what) => what,
            };
            Failure::new(Code::IdentityRefused, format!("the ID token {what}"))
        })?;
        self.complete(&mut claims, &known.metadata, granted).await?;
        Ok(claims)
    }

    /// Some providers keep address and groups for who asks again.
    async fn complete(
        &self,
        claims: &mut Claims,
        metadata: &Metadata,
        granted: &Granted,
    ) -> Result<(), Failure> {
        let roles = self.oidc.roles.as_ref().map(|roles| roles.claim.as_str());
        let lacks = |key: &str| !claims.contains_key(key);
        let (Some(address), Some(token)) = (&metadata.userinfo_endpoint, &granted.access_token)
        else {
            return Ok(());
        };
        if !lacks("email") && !roles.is_some_and(lacks) {
            return Ok(());
        }
        let more: Claims = document(&self.get(address, Some(token)).await?, address)?;
        if more.get("sub") != claims.get("sub") {
            let message = "the provider answers about somebody else";
            return Err(Failure::new(Code::IdentityRefused, message));
        }
        for (key, value) in more {
            claims.entry(key).or_insert(value);
        }
        Ok(())
    }

    async fn get(&self, address: &str, token: Option<&str>) -> Result<Reply, Failure> {
        let mut headers = vec![header("accept", "application/json")];
        headers.extend(token.map(|token| secret_header(format!("Bearer {token}"))));
        let (method, url) = ("GET".to_owned(), address.to_owned());
        let request = Request { method, url, headers, body: Body::Empty };
        self.transport.send(&request).await.map_err(|failure| no_answer(&failure))
    }
}

/// As RFC 6749 has it: both parts are encoded as in a form first.
fn basic(client_id: &str, secret: &Secret) -> Header {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let both = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    secret_header(format!("Basic {}", BASE64_STANDARD.encode(both)))
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned(), secret: false }
}

fn secret_header(value: String) -> Header {
    Header { name: "authorization".to_owned(), value, secret: true }
}

fn document<T: DeserializeOwned>(reply: &Reply, address: &str) -> Result<T, Failure> {
    let read = if reply.status == 200 { serde_json::from_slice(&reply.body).ok() } else { None };
    read.ok_or_else(|| unexpected(address, reply))
}

fn unexpected(address: &str, reply: &Reply) -> Failure {
    let path = Url::parse(address).map(|url| url.path().to_owned()).unwrap_or_default();
    let (host, status) = (host(address), reply.status);
    unavailable(&format!("`{host}` answered `{status}` with something unexpected at `{path}`"))
}

fn no_answer(failure: &Failure) -> Failure {
    unavailable(failure.message()).caused_by(failure.clone())
}

fn unavailable(message: &str) -> Failure {
    Failure::new(Code::ProviderUnavailable, message.to_owned())
}

fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or("the provider").to_owned()
}

/// A word of the protocol, and nothing else that somebody may have put there.
pub(super) fn word(text: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_lowercase() || *letter == '_';
    text.chars().take_while(plain).take(40).collect()
}
