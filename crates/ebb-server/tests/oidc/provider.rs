//! An identity provider on a free port, which vouches for whomever a test likes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use url::Url;

/// What the server shows to the provider, besides its name `ebb`.
pub(crate) const SECRET: &str = "hush:of the client";

/// The running provider.
pub(crate) struct Provider {
    pub(crate) address: String,
    desk: Arc<Mutex<Desk>>,
    _tasks: JoinSet<()>,
}

struct Desk {
    issuer: String,
    key: Key,
    grants: HashMap<String, Grant>,
    /// How often keys were asked for.
    keys_asked: usize,
}

struct Grant {
    challenge: String,
    redirect_uri: String,
    claims: Value,
    /// Another key than the published one.
    forged: Option<Key>,
}

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(id: &str) -> Self {
        let (scheme, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap();
        Self { id: id.to_owned(), pair }
    }

    fn sign(&self, claims: &Value) -> String {
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "ES256", "kid": self.id });
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

type Shared = Arc<Mutex<Desk>>;

fn locked(desk: &Shared) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap()
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Mutex::new(Desk {
            issuer: address.clone(),
            key: Key::new("first"),
            grants: HashMap::new(),
            keys_asked: 0,
        }));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&desk));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, desk, _tasks: tasks }
    }

    /// Signs somebody in who was sent to this address, with claims that differ from the usual: the address
    /// that the browser is sent back to.
    pub(crate) fn vouch(&self, asked: &str, changes: &Value) -> String {
        self.grant(asked, changes, None)
    }

    /// The same by somebody who knows the key's name alone.
    pub(crate) fn forge(&self, asked: &str) -> String {
        self.grant(asked, &json!({}), Some(Key::new("first")))
    }

    fn grant(&self, asked: &str, changes: &Value, forged: Option<Key>) -> String {
        let asked = Url::parse(asked).unwrap();
        assert_eq!(asked.path(), "/authorize");
        let query: HashMap<_, _> = asked.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let now = Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.address, "aud": query["client_id"], "sub": "ada-1", "nonce": query["nonce"],
            "iat": now, "exp": now + 300,
            "email": "ada@example.com", "email_verified": true, "name": "Ada L.",
        });
        for (key, value) in changes.as_object().unwrap() {
            claims[key] = value.clone();
        }
        let mut desk = locked(&self.desk);
        let code = format!("code-{}", desk.grants.len());
        let redirect_uri = query["redirect_uri"].clone();
        let challenge = query["code_challenge"].clone();
        let back = format!("{redirect_uri}?code={code}&state={}", query["state"]);
        desk.grants.insert(code, Grant { challenge, redirect_uri, claims, forged });
        back
    }

    /// Signs with another key from now on.
    pub(crate) fn rotate(&self, name: &str) {
        locked(&self.desk).key = Key::new(name);
    }

    pub(crate) fn keys_asked(&self) -> usize {
        locked(&self.desk).keys_asked
    }
}

async fn metadata(State(desk): State<Shared>) -> Json<Value> {
    let issuer = locked(&desk).issuer.clone();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
    }))
}

async fn keys(State(desk): State<Shared>) -> Json<Value> {
    let mut desk = locked(&desk);
    desk.keys_asked += 1;
    let point = desk.key.pair.public_key().as_ref();
    let part = |range| BASE64_URL_SAFE_NO_PAD.encode(&point[range]);
    let key = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "kid": desk.key.id, "x": part(1..33), "y": part(33..65),
    });
    Json(json!({ "keys": [key] }))
}

async fn token(
    State(desk): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
    let known = format!("Basic {}", BASE64_STANDARD.encode("ebb:hush%3Aof+the+client"));
    if headers.get("authorization").is_none_or(|given| given != known.as_str()) {
        return refused("invalid_client").into_response();
    }
    let mut desk = locked(&desk);
    let Some(grant) = desk.grants.remove(&form["code"]) else {
        return refused("invalid_grant").into_response();
    };
    let shown = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
    assert_eq!(shown, grant.challenge);
    assert_eq!(form["redirect_uri"], grant.redirect_uri);
    let id_token = grant.forged.as_ref().unwrap_or(&desk.key).sign(&grant.claims);
    Json(json!({ "id_token": id_token, "access_token": "access", "token_type": "Bearer" }))
        .into_response()
}

/// What is said of whoever asks again.
async fn userinfo(headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], "Bearer access");
    Json(
        json!({ "sub": "ada-1", "email": "eve@example.com", "groups": ["analytics", "ebb-admins"] }),
    )
}
