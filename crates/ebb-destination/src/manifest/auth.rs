//! How requests prove who sends them.

use serde::Deserialize;

use super::Indexed;
use crate::template::Tree;

/// How requests prove who sends them: at most one of these. All texts are leaves over `settings`
/// and `field`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    /// `Authorization: Basic …`.
    #[serde(default)]
    pub(crate) basic: Option<Basic>,
    /// `Authorization: Bearer …`.
    #[serde(default)]
    pub(crate) bearer: Option<String>,
    /// Headers of the service's own.
    #[serde(default)]
    pub(crate) headers: Indexed<String>,
    /// A token that is fetched, and fetched anew when the service no longer takes it.
    #[serde(default)]
    pub(crate) oauth2: Option<OAuth2>,
}

/// User and password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Basic {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// OAuth 2, by refresh token or by client credentials.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    /// How a token is had.
    pub(crate) grant: Grant,
    /// Where.
    pub(crate) token_url: String,
    /// The client.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
    /// The refresh token, for that grant.
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
    /// A token to begin with.
    #[serde(default)]
    pub(crate) access_token: Option<String>,
    /// What the token is for.
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// How a token is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grant {
    /// For a refresh token.
    RefreshToken,
    /// For the client's own credentials.
    ClientCredentials,
}

/// A request that shows whether the credentials work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// `GET`, `POST`, …
    #[serde(default = "get")]
    pub(crate) method: String,
    /// The address.
    pub(crate) url: String,
    /// The body as JSON, if there is one. Secrets may be used: it goes where `auth` goes.
    #[serde(default)]
    pub(crate) body: Option<Tree>,
    /// The status that refused credentials have; 401 and 403 are always taken for that.
    #[serde(default)]
    pub(crate) refused: Vec<u16>,
}

fn get() -> String {
    "GET".to_owned()
}
