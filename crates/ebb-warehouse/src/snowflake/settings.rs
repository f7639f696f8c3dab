//! The settings of a `snowflake` source, read and checked once.

use std::time::Duration;

use ebb_core::{Code, Failure, config::Settings};
use url::Url;

use super::{form::FORM, sign_in::SignIn};
use crate::{
    given::{Given, wrong},
    http,
};

/// Where and as whom statements run, and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    /// The address of the account, without a path.
    pub(super) address: Url,
    pub(super) protocol: Protocol,
    pub(super) sign_in: SignIn,
    /// The account's name, as far as it is known.
    pub(super) account: String,
    pub(super) user: Option<String>,
    /// Names as Snowflake keeps them.
    pub(super) context: Context,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
    /// Where Ebb's tables lie, for the advice of failures.
    pub(super) managed_schema: String,
}

/// Where statements run: what each request of the SQL API names, and a session once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) database: String,
    pub(super) schema: Option<String>,
    pub(super) warehouse: Option<String>,
    pub(super) role: Option<String>,
}

/// How the service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The SQL API, which is documented; rows come as JSON.
    SqlApi,
    /// What the drivers speak: sessions that sign in; rows come as Arrow.
    Session,
}

impl ConnectionSettings {
    /// Reads the settings. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        let address = address(&given)?;
        let sign_in = SignIn::read(&given, &address)?;
        Ok(Self {
            protocol: protocol(&given, &sign_in)?,
            sign_in,
            account: account(&given, &address),
            user: given.text("user"),
            address,
            context: Context {
                database: folded(&given.required("database")?),
                schema: given.text("schema").as_deref().map(folded),
                warehouse: given.text("warehouse").as_deref().map(folded),
                role: given.text("role").as_deref().map(folded),
            },
            connect_timeout: given.duration("connect_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
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

/// The account that the service is asked for: a region after its name is no part of it.
fn account(given: &Given, address: &Url) -> String {
    let named = given.text("account");
    let name = named.as_deref().or_else(|| address.host_str()).unwrap_or_default();
    name.split('.').next().unwrap_or(name).to_owned()
}

/// The protocol that is asked for, or else the documented one where the credentials allow it.
fn protocol(given: &Given, sign_in: &SignIn) -> Result<Protocol, Failure> {
    match (given.get("protocol"), sign_in) {
        (Some("session"), _) | (None, SignIn::Password(_)) => Ok(Protocol::Session),
        (Some("sql_api"), SignIn::Password(_)) => {
            Err(refuse("the SQL API takes no password").help(
                "Leave `protocol` out or write `protocol: session`; or sign in with a key pair or a token",
            ))
        }
        (None | Some("sql_api"), _) => Ok(Protocol::SqlApi),
        (Some(other), _) => Err(wrong("protocol", other, "`sql_api` or `session`")),
    }
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

pub(super) fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::{Code, Failure};
    use serde_json::{Value, json};

    use super::{ConnectionSettings, Protocol, SignIn};

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
            json!({ "account": "a", "database": "d", "password": "hunter2" }),
            json!({ "account": "a", "database": "d", "user": "u", "password": "hunter2", "token": "hunter2" }),
            json!({ "account": "a", "database": "d", "user": "u", "password": "hunter2", "protocol": "sql_api" }),
            json!({ "account": "a", "database": "d", "token": "hunter2", "protocol": "odbc" }),
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
    fn a_password_signs_in_by_the_protocol_of_sessions_and_a_token_by_the_documented_one() {
        let by = |others: Value| {
            let mut settings =
                json!({ "account": "acme-shop.eu-central-1", "user": "u", "database": "d" });
            settings.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
            let settings = read(settings).unwrap();
            assert_eq!(settings.account, "acme-shop");
            settings.protocol
        };
        assert_eq!(by(json!({ "password": "p" })), Protocol::Session);
        assert_eq!(by(json!({ "password": "p", "protocol": "session" })), Protocol::Session);
        assert_eq!(by(json!({ "token": "t", "protocol": "session" })), Protocol::Session);
        assert_eq!(by(json!({ "token": "t", "protocol": "sql_api" })), Protocol::SqlApi);
        assert_eq!(by(json!({ "token": "t" })), Protocol::SqlApi);
    }

    #[test]
    fn debug_shows_no_secret() {
        for secret in ["token", "password"] {
            let settings =
                json!({ "account": "a", "user": "u", "database": "d", secret: "hunter2" });
            assert!(!format!("{:?}", read(settings).unwrap()).contains("hunter2"));
        }
    }
}
