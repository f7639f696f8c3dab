//! What a connection proves itself by: a login's password, a token that is given, or one that an
//! application asks Entra ID for.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ebb_core::{Code, Failure, Secret};
use reqwest::{StatusCode, redirect::Policy};
use serde::Deserialize;
use tiberius::AuthMethod;
use tokio::time::{Instant, sleep};

use super::settings::{Application, SignIn};
use crate::pgwire::{SslMode, anonymous};

/// What tokens are asked for.
const SCOPE: &str = "https://database.windows.net/.default";
/// A token is asked for anew when so little is left of its time.
const RENEWED: Duration = Duration::from_mins(5);
/// How often Entra ID is asked that does not answer, or says to come back.
const ATTEMPTS: u32 = 4;
/// The wait after the first of them; it doubles from one to the next.
const WAIT: Duration = Duration::from_millis(500);
/// The longest wait that it may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Gives what a connection proves itself by.
pub(super) struct Credentials {
    sign_in: SignIn,
    http: reqwest::Client,
    /// The last token that was asked for, and when it must be asked for anew.
    last: Mutex<Option<(Secret, Instant)>>,
}

/// Entra ID's answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// Why it gives no token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
    error_description: String,
}

impl Credentials {
    pub(super) fn new(sign_in: SignIn) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(anonymous(SslMode::VerifyFull, None)?)
            .timeout(Duration::from_secs(30))
            .user_agent(concat!("ebb/", env!("CARGO_PKG_VERSION")))
            // What is meant for one host, the secret included, is never sent to another.
            .redirect(Policy::none())
            .build()
            .map_err(|error| {
                Failure::new(Code::SourceTls, "the HTTP client cannot be set up").caused_by(error)
            })?;
        Ok(Self { sign_in, http, last: Mutex::default() })
    }

    /// What the next connection proves itself by.
    pub(super) async fn method(&self) -> Result<AuthMethod, Failure> {
        Ok(match &self.sign_in {
            SignIn::Password { user, password } => AuthMethod::sql_server(user, password.expose()),
            SignIn::Token(token) => AuthMethod::aad_token(token.expose()),
            SignIn::Application(application) => {
                AuthMethod::aad_token(self.token(application).await?.expose())
            }
        })
    }

    /// Whether it is a token of Entra ID.
    pub(super) fn is_token(&self) -> bool {
        !matches!(self.sign_in, SignIn::Password { .. })
    }

    /// Whether there may be a better proof than the one that was refused.
    pub(super) fn renew(&self) -> bool {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
        matches!(self.sign_in, SignIn::Application(_))
    }

    async fn token(&self, application: &Application) -> Result<Secret, Failure> {
        let now = Instant::now();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, _)) = last.filter(|(_, until)| now < *until) {
            return Ok(token);
        }
        let Granted { access_token, expires_in } = self.ask(application).await?;
        let access_token = Secret::new(access_token);
        let until = now + Duration::from_secs(expires_in).saturating_sub(RENEWED);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((access_token.clone(), until));
        Ok(access_token)
    }

    async fn ask(&self, application: &Application) -> Result<Granted, Failure> {
        let Application { endpoint, client_id, client_secret } = application;
        let host = endpoint.host_str().unwrap_or_default();
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", client_id)
            .append_pair("client_secret", client_secret.expose())
            .append_pair("scope", SCOPE)
            .finish();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let request = self
                .http
                .post(endpoint.clone())
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body.clone());
            let backoff = WAIT * 2_u32.pow(attempt - 1);
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(_) if attempt < ATTEMPTS => {
                    sleep(backoff).await;
                    continue;
                }
                Err(error) => {
                    return Err(Failure::new(
                        Code::SourceUnreachable,
                        format!("`{host}` gives no token: it does not answer"),
                    )
                    .caused_by(error.without_url()));
                }
            };
            let status = answer.status();
            if may_pass(status) && attempt < ATTEMPTS {
                let asked = answer.headers().get("Retry-After").and_then(|it| it.to_str().ok());
                let asked = asked.and_then(|it| it.parse().ok()).map(Duration::from_secs);
                sleep(asked.unwrap_or(backoff).min(LONGEST_WAIT)).await;
                continue;
            }
            let body = answer.bytes().await.unwrap_or_default();
            return judged(status, &body, host);
        }
    }
}

/// Whether an answer may be another one soon.
fn may_pass(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn judged(status: StatusCode, body: &[u8], host: &str) -> Result<Granted, Failure> {
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|_| {
            Failure::new(
                Code::SourceUnreachable,
                format!("what answers at `{host}` is not Entra ID"),
            )
            .help("Correct `authority` in the source's settings")
        });
    }
    let Refused { error, error_description } = serde_json::from_slice(body).unwrap_or_default();
    if may_pass(status) {
        return Err(Failure::new(
            Code::SourceUnreachable,
            format!("`{host}` gives no token: it answers {status}"),
        ));
    }
    let told = error_description.lines().next().unwrap_or_default();
    let why = if told.is_empty() { error.as_str() } else { told };
    let advice = match error.as_str() {
        "invalid_client" => "Correct `client_secret`, or make a new secret: secrets expire",
        "unauthorized_client" => "Correct `client_id`",
        _ => "Correct `tenant_id`, `client_id` and `client_secret`",
    };
    Err(Failure::new(Code::SourceAuth, format!("Entra ID gives the application no token: {why}"))
        .help(advice))
}
