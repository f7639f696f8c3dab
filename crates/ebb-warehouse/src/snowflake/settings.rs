//! The settings of a `snowflake` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings};
use url::Url;

use super::oauth::OAuthClient;
use crate::{
    given::{Given, Server},
    http,
};

/// What a source of this kind takes.
static SNOWFLAKE: Server = Server {
    kind: "snowflake",
    name: "Snowflake",
    schemes: &[],
    port: 443,
    keys: &[
        "account",
        "host",
        "user",
        "private_key",
        "private_key_path",
        "private_key_passphrase",
        "token",
        "oauth_token",
        "oauth_client_id",
        "oauth_client_secret",
        "oauth_refresh_token",
        "oauth_token_url",
        "oauth_scope",
        "warehouse",
        "database",
        "role",
        "schema",
        "connect_timeout",
        "statement_timeout",
    ],
};

/// Where and as whom statements run, and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    /// The address of the account, without a path.
    pub(super) address: Url,
    pub(super) sign_in: SignIn,
    /// Names as Snowflake keeps them.
    pub(super) context: Context,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
    /// Where Ebb's tables lie, for the advice of failures.
    pub(super) managed_schema: String,
}

/// What each request names, because there is no session to remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) database: String,
    pub(super) schema: Option<String>,
    pub(super) warehouse: Option<String>,
    pub(super) role: Option<String>,
}

/// How requests prove whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
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

impl ConnectionSettings {
    /// Reads the settings. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&SNOWFLAKE, settings)?;
        let address = address(&given)?;
        Ok(Self {
            sign_in: sign_in(&given, &address)?,
            address,
            context: Context {
                database: folded(&given.required("database")?),
                schema: given.text("schema").as_deref().map(folded),
                warehouse: given.text("warehouse").as_deref().map(folded),
                role: given.text("role").as_deref().map(folded),
            },
            connect_timeout: given.duration("connect_timeout", Duration::from_secs(10))?,
            statement_timeout: given.duration("statement_timeout", Duration::from_hours(1))?,
            managed_schema: managed_schema.to_owned(),
        })
    }
}

/// The host of a private link if one is given, else the account's own.
fn address(given: &Given) -> Result<Url, Failure> {
    let host = match given.text("host") {
        Some(host) => host,
        None => format!("{}.snowflakecomputing.com", account_host(&given.required("account")?)),
    };
    http::address(&host, "acme-shop.privatelink.snowflakecomputing.com")
}

fn sign_in(given: &Given, address: &Url) -> Result<SignIn, Failure> {
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
    match (key, secret("token"), secret("oauth_token"), client) {
        (Some(key), None, None, None) => Ok(SignIn::KeyPair {
            account: given.required("account")?,
            user: given.required("user")?,
            key,
            passphrase: secret("private_key_passphrase"),
        }),
        (None, Some(token), None, None) => Ok(SignIn::ProgrammaticToken(token)),
        (None, None, Some(token), None) => Ok(SignIn::OAuth(token)),
        (None, None, None, Some(client)) => Ok(SignIn::OAuthClient(client)),
        (None, None, None, None) => Err(refuse("no credentials are given").help(
            "Give `user` with `private_key_path` or `private_key`, or a programmatic access token as `token`, \
             or `oauth_token`, or an OAuth client",
        )),
        (_, _, _, _) => Err(refuse("more than one kind of credentials is given")
            .help("Keep one of the private key, `token`, `oauth_token` and the OAuth client")),
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

/// A name as Snowflake keeps it: without quotes it is upper case.
fn folded(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(exact) => exact.replace("\"\"", "\""),
        None => name.to_uppercase(),
    }
}

/// The account in a host's name: `ACME_SHOP-EU` is `acme-shop-eu`.
fn account_host(account: &str) -> String {
    account.to_lowercase().replace('_', "-")
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::{Code, Failure};
    use serde_json::{Value, json};

    use super::{ConnectionSettings, SignIn};

    fn read(settings: Value) -> Result<ConnectionSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        ConnectionSettings::read(&settings.into(), "managed")
    }

    #[test]
    fn names_are_kept_as_snowflake_keeps_them() {
        let settings = read(json!({
            "account": "ACME_shop-eu", "token": "t", "database": "shop", "schema": "\"Sales\"",
            "warehouse": "small", "role": "ebb", "statement_timeout": "5min",
        }))
        .unwrap();
        assert_eq!(settings.address.as_str(), "https://acme-shop-eu.snowflakecomputing.com/");
        assert_eq!(settings.context.database, "SHOP");
        assert_eq!(settings.context.schema.as_deref(), Some("Sales"));
        assert_eq!(settings.statement_timeout, Duration::from_mins(5));
        assert!(matches!(settings.sign_in, SignIn::ProgrammaticToken(_)));
    }

    #[test]
    fn wrong_settings_are_named_and_secrets_are_not_told() {
        let cases = [
            json!({ "acount": "a" }),
            json!({ "account": "a", "token": "hunter2" }),
            json!({ "account": "a", "database": "d" }),
            json!({ "account": "a", "database": "d", "token": "hunter2", "oauth_token": "hunter2" }),
            json!({ "account": "a", "database": "d", "private_key": "hunter2" }),
            json!({ "account": "a", "database": "d", "private_key": "hunter2", "private_key_path": "k" }),
            json!({ "database": "d", "token": "hunter2" }),
            json!({ "host": "http://example.com", "database": "d", "token": "hunter2" }),
            json!({ "host": "https://example.com/path", "database": "d", "token": "hunter2" }),
            json!({ "account": "a", "database": ["d"], "token": "hunter2" }),
            json!({ "account": "a", "database": "d", "token": "t", "statement_timeout": "soon" }),
            json!({ "account": "a", "database": "d", "oauth_refresh_token": "hunter2" }),
            json!({ "account": "a", "database": "d", "oauth_client_id": "ebb", "oauth_client_secret": "hunter2" }),
            json!({ "account": "a", "database": "d", "oauth_client_id": "ebb", "oauth_refresh_token": "hunter2" }),
            json!({
                "account": "a", "database": "d", "oauth_client_id": "ebb", "oauth_client_secret": "hunter2",
                "oauth_token_url": "http://login.example.com/token",
            }),
        ];
        let told: Vec<String> = cases
            .into_iter()
            .map(|settings| {
                let failure = read(settings).unwrap_err();
                assert_eq!(failure.code, Code::SourceSettings);
                format!("{} | {}", failure.message(), failure.advice())
            })
            .collect();
        let told = told.join("\n");
        assert!(!told.contains("hunter2"), "{told}");
        insta::assert_snapshot!(told);
    }

    #[test]
    fn an_oauth_client_asks_the_account_unless_another_place_is_named() {
        let at = |others: Value| {
            let mut settings = json!({
                "account": "acme-shop", "database": "d", "oauth_client_id": "ebb", "oauth_client_secret": "s",
            });
            settings.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
            let SignIn::OAuthClient(client) = read(settings).unwrap().sign_in else {
                panic!("an OAuth client")
            };
            client.address.to_string()
        };
        assert_eq!(
            at(json!({ "oauth_refresh_token": "r" })),
            "https://acme-shop.snowflakecomputing.com/oauth/token-request"
        );
        let provider = "https://login.example.com/oauth2/token";
        assert_eq!(at(json!({ "oauth_token_url": provider })), provider);
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = read(json!({ "account": "a", "database": "d", "token": "hunter2" }));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
