//! OAuth tokens that are got anew when they expire, from Snowflake itself or from an identity provider.

use std::time::Duration;

use ebb_core::{Code, Failure, Secret};
use reqwest::StatusCode;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::{Url, form_urlencoded::Serializer};

use crate::http::{Repeat, Service, one_line};

/// A token is got anew when so little is left of its time, or half of it if that is less.
const RENEWED: Duration = Duration::from_mins(2);
/// How long a token is used whose time nobody tells; Snowflake's own are good for ten minutes.
const UNTOLD: Duration = Duration::from_mins(10);

/// Who asks for tokens, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthClient {
    pub(super) address: Url,
    pub(super) id: String,
    pub(super) secret: Secret,
    /// What a person's consent gave; without it the client asks for itself.
    pub(super) refresh: Option<Secret>,
    pub(super) scope: Option<String>,
}

/// Gets tokens, and keeps the last one while it is good.
pub(super) struct OAuth {
    client: OAuthClient,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    token: Option<(Secret, Instant)>,
    /// A refresh token that took the place of the one in the settings.
    refresh: Option<Secret>,
}

/// The endpoint's answer, whether it gives a token or says why not.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
    error: String,
    error_description: String,
    /// Where Snowflake says it in its own way.
    message: String,
}

impl OAuth {
    pub(super) fn new(client: OAuthClient) -> Self {
        Self { client, kept: Mutex::default() }
    }

    /// The token of a request now.
    pub(super) async fn token(&self, http: &reqwest::Client) -> Result<Secret, Failure> {
        // The lock is held on purpose: who comes meanwhile waits for the same token.
        let mut kept = self.kept.lock().await;
        if let Some((token, until)) = &kept.token
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let asked = Instant::now();
        let refresh = kept.refresh.as_ref().or(self.client.refresh.as_ref());
        let granted = self.client.exchange(http, refresh).await?;
        let lifetime = granted.expires_in.map_or(UNTOLD, Duration::from_secs);
        let token = Secret::new(granted.access_token);
        kept.token =
            Some((token.clone(), asked + lifetime.saturating_sub(RENEWED.min(lifetime / 2))));
        if let Some(refresh) = granted.refresh_token.filter(|token| !token.is_empty()) {
            kept.refresh = Some(Secret::new(refresh));
        }
        Ok(token)
    }

    /// Forgets a token that was refused.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().is_some_and(|(token, _)| token == refused) {
            kept.token = None;
        }
    }
}

impl OAuthClient {
    async fn exchange(
        &self,
        http: &reqwest::Client,
        refresh: Option<&Secret>,
    ) -> Result<Granted, Failure> {
        let form = self.form(refresh);
        let service = Service {
            name: "the OAuth token endpoint",
            interface: "an OAuth token endpoint",
            settings: "`oauth_token_url`, `account` or `host`",
            address: self.address.clone(),
        };
        let request = |_| {
            http.post(self.address.clone())
                .basic_auth(&self.id, Some(self.secret.expose()))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "application/json")
                .body(form.clone())
        };
        let reply = service.send(Repeat::Freely, request).await?;
        let granted: Granted = serde_json::from_slice(&reply.body).unwrap_or_default();
        let words = [&granted.error_description, &granted.message];
        let words = words.into_iter().find(|words| !words.is_empty()).map_or("", String::as_str);
        let told = one_line(words, &granted.error);
        match reply.status {
            StatusCode::OK if !granted.access_token.is_empty() => Ok(granted),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let (what, help) = if refresh.is_some() {
                    (
                        "refresh token",
                        "Let the user consent anew, and put the new refresh token where `oauth_refresh_token` reads it; see \
                         that `oauth_client_id` and `oauth_client_secret` are those of the integration",
                    )
                } else {
                    (
                        "client's secret",
                        "Correct `oauth_client_id`, `oauth_client_secret` and `oauth_scope`",
                    )
                };
                let message = format!("no OAuth token is given for the {what}: {told}");
                Err(Failure::new(Code::SourceAuth, message).help(help))
            }
            status => Err(service.unexpected(status, &told)),
        }
    }

    fn form(&self, refresh: Option<&Secret>) -> String {
        let mut form = Serializer::new(String::new());
        match refresh {
            Some(refresh) => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", refresh.expose()),
            None => form.append_pair("grant_type", "client_credentials"),
        };
        form.extend_pairs(self.scope.as_ref().map(|scope| ("scope", scope))).finish()
    }
}
