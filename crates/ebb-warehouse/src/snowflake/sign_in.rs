//! The credentials among the settings of a `snowflake` source.

use std::path::PathBuf;

use ebb_core::{Failure, Secret};
use url::Url;

use super::{oauth::OAuthClient, settings::refuse};
use crate::{given::Given, http};

/// How requests prove whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    Password(Secret),
    KeyPair { account: String, user: String, key: PrivateKey, passphrase: Option<Secret> },
    ProgrammaticToken(Secret),
    OAuth(Secret),
    OAuthClient(OAuthClient),
}

/// Where the private key is, in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PrivateKey {
    Text(Secret),
    File(PathBuf),
}

impl SignIn {
    /// Reads the one kind of credentials that is given; tokens come from `address` unless another place
    /// is named. Fails with `S115`.
    pub(super) fn read(given: &Given, address: &Url) -> Result<Self, Failure> {
        let secret = |key| given.text(key).map(Secret::new);
        let key = match (secret("private_key"), given.text("private_key_path")) {
            (Some(_), Some(_)) => {
                return Err(refuse("both `private_key` and `private_key_path` are given"));
            }
            (Some(text), None) => Some(PrivateKey::Text(text)),
            (None, Some(path)) => Some(PrivateKey::File(path.into())),
            (None, None) => None,
        };
        let client = oauth_client(given, address)?;
        let key = match key {
            Some(key) => Some(Self::KeyPair {
                account: given.required("account")?,
                user: given.required("user")?,
                key,
                passphrase: secret("private_key_passphrase"),
            }),
            None => None,
        };
        let password = match secret("password") {
            Some(password) => given.required("user").map(|_| Some(Self::Password(password)))?,
            None => None,
        };
        let token = secret("token").map(Self::ProgrammaticToken);
        let oauth = secret("oauth_token").map(Self::OAuth);
        let mut all =
            [key, token, oauth, client.map(Self::OAuthClient), password].into_iter().flatten();
        match (all.next(), all.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(refuse("no credentials are given").help(
                "Give `user` with `private_key_path` or `private_key`, or a programmatic access token as `token`, \
                 or `oauth_token`, or an OAuth client, or `user` and `password`",
            )),
            (Some(_), Some(_)) => Err(refuse("more than one kind of credentials is given").help(
                "Keep one of the private key, `token`, `oauth_token`, the OAuth client and `password`",
            )),
        }
    }
}

/// The client that gets OAuth tokens, from the account itself unless another place is named.
fn oauth_client(given: &Given, address: &Url) -> Result<Option<OAuthClient>, Failure> {
    let others = ["oauth_client_secret", "oauth_refresh_token", "oauth_token_url", "oauth_scope"];
    let Some(id) = given.text("oauth_client_id") else {
        let alone = others.into_iter().find(|key| given.text(key).is_some());
        return alone.map_or(Ok(None), |key| {
            Err(refuse(format!("`{key}` is given without `oauth_client_id`")))
        });
    };
    let refresh = given.text("oauth_refresh_token").map(Secret::new);
    let address = match given.text("oauth_token_url") {
        Some(text) => token_address(&text)?,
        None if refresh.is_some() => {
            let mut address = address.clone();
            address.set_path("/oauth/token-request");
            address
        }
        None => {
            return Err(refuse("an OAuth client has neither `oauth_refresh_token` nor `oauth_token_url`")
                .help("Snowflake itself gives tokens for a refresh token; an identity provider has an address"));
        }
    };
    let secret = Secret::new(given.required("oauth_client_secret")?);
    Ok(Some(OAuthClient { address, id, secret, refresh, scope: given.text("oauth_scope") }))
}

/// Where an identity provider gives tokens: a host like any other, and a path.
fn token_address(text: &str) -> Result<Url, Failure> {
    let example = "https://login.example.com/oauth2/token";
    let wrong = || {
        refuse("`oauth_token_url` is not an address").help(format!("Give one such as `{example}`"))
    };
    let url = Url::parse(text).map_err(|error| wrong().caused_by(error))?;
    let mut host = url.clone();
    host.set_path("");
    http::address(host.as_str(), example)?;
    Ok(url)
}
