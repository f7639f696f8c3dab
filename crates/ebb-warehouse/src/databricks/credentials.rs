//! What a request proves itself by: a token that is given, or one that a service principal gets.

use std::time::Duration;

use ebb_core::{Code, Failure, Secret};
use reqwest::StatusCode;
use tokio::{sync::Mutex, time::Instant};
use url::form_urlencoded;

use super::{answer::Granted, settings::SignIn};
use crate::http::{Repeat, Service, one_line};

/// A token is got anew when so little is left of its time, or half of it if that is less.
const RENEWED: Duration = Duration::from_mins(5);

/// Gives tokens.
pub(super) struct Credentials {
    sign_in: SignIn,
    /// The last token of a service principal, and until when it is used.
    last: Mutex<Option<(Secret, Instant)>>,
}

impl Credentials {
    pub(super) fn new(sign_in: SignIn) -> Self {
        Self { sign_in, last: Mutex::default() }
    }

    /// What is refused if a token is.
    pub(super) const fn kind(&self) -> &'static str {
        match self.sign_in {
            SignIn::Token(_) => "the personal access token",
            SignIn::Machine { .. } => "the service principal's token",
        }
    }

    /// Whose permissions count, as grants name them.
    pub(super) fn principal(&self) -> Option<&str> {
        match &self.sign_in {
            SignIn::Token(_) => None,
            SignIn::Machine { id, .. } => Some(id),
        }
    }

    /// The token of a request now.
    pub(super) async fn token(
        &self,
        http: &reqwest::Client,
        service: &Service,
    ) -> Result<Secret, Failure> {
        let (id, secret) = match &self.sign_in {
            SignIn::Token(token) => return Ok(token.clone()),
            SignIn::Machine { id, secret } => (id, secret),
        };
        // Who comes meanwhile waits for the same token.
        let mut last = self.last.lock().await;
        if let Some((token, until)) = &*last
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let asked = Instant::now();
        let (token, lifetime) = exchange(http, service, id, secret).await?;
        *last = Some((token.clone(), asked + lifetime.saturating_sub(RENEWED).max(lifetime / 2)));
        Ok(token)
    }

    /// Forgets a token that was refused; false if there is no other.
    pub(super) async fn renew(&self, refused: &Secret) -> bool {
        match self.sign_in {
            SignIn::Token(_) => false,
            SignIn::Machine { .. } => {
                let mut last = self.last.lock().await;
                if last.as_ref().is_some_and(|(token, _)| token == refused) {
                    *last = None;
                }
                true
            }
        }
    }
}

/// Exchanges a service principal's secret for a token; also how long it lasts.
async fn exchange(
    http: &reqwest::Client,
    service: &Service,
    id: &str,
    secret: &Secret,
) -> Result<(Secret, Duration), Failure> {
    let mut address = service.address.clone();
    address.set_path("/oidc/v1/token");
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "client_credentials"), ("scope", "all-apis")])
        .finish();
    let request = |_| {
        http.post(address.clone())
            .basic_auth(id, Some(secret.expose()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.clone())
    };
    let reply = service.send(Repeat::Freely, request).await?;
    let granted: Granted = serde_json::from_slice(&reply.body).unwrap_or_default();
    let told = one_line(&granted.error_description, &granted.error);
    match reply.status {
        StatusCode::OK if !granted.access_token.is_empty() => {
            Ok((Secret::new(granted.access_token), Duration::from_secs(granted.expires_in)))
        }
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let message = format!("Databricks refused the service principal's secret: {told}");
            Err(Failure::new(Code::SourceAuth, message).help(
                "Correct `client_id` and `client_secret`; secrets are made under the service principal's settings and \
                 expire, and the principal must be a member of the workspace",
            ))
        }
        status => Err(service.unexpected(status, &told)),
    }
}
