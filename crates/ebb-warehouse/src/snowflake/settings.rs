//! The settings of a `snowflake` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings, suggest};
use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use crate::http;

/// The keys that are allowed.
const KEYS: [&str; 14] = [
    "account",
    "host",
    "user",
    "private_key",
    "private_key_path",
    "private_key_passphrase",
    "token",
    "oauth_token",
    "warehouse",
    "database",
    "role",
    "schema",
    "connect_timeout",
    "statement_timeout",
];

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
        for (key, value) in settings.iter() {
            if !KEYS.contains(&key.as_str()) {
                return Err(refuse(format!("`{key}` is not a setting of a snowflake source"))
                    .help(suggest::allowed(key, KEYS)));
            }
            if !matches!(value, Value::String(_) | Value::Number(_)) {
                return Err(refuse(format!("the setting `{key}` is neither text nor a number")));
            }
        }
        let given = Given(settings);
        Ok(Self {
            address: given.address()?,
            sign_in: given.sign_in()?,
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

/// Settings as they were given, texts and numbers all of them.
struct Given<'a>(&'a Settings);

impl Given<'_> {
    fn text(&self, key: &str) -> Option<String> {
        let value = self.0.get(key)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(text).filter(|text| !text.is_empty())
    }

    fn required(&self, key: &str) -> Result<String, Failure> {
        self.text(key).ok_or_else(|| refuse(format!("the setting `{key}` is missing")))
    }

    fn duration(&self, key: &str, default: Duration) -> Result<Duration, Failure> {
        let Some(text) = self.text(key) else { return Ok(default) };
        let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
        seconds.or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok()).ok_or_else(|| {
            refuse(format!("`{text}` is not allowed for `{key}`"))
                .help("Give seconds such as `30`, or a time such as `5min`")
        })
    }

    /// The host of a private link if one is given, else the account's own.
    fn address(&self) -> Result<Url, Failure> {
        let host = match self.text("host") {
            Some(host) => host,
            None => format!("{}.snowflakecomputing.com", account_host(&self.required("account")?)),
        };
        http::address(&host, "acme-shop.privatelink.snowflakecomputing.com")
    }

    fn sign_in(&self) -> Result<SignIn, Failure> {
        let secret = |key| self.text(key).map(Secret::new);
        let key = match (secret("private_key"), self.text("private_key_path")) {
            (Some(_), Some(_)) => {
                return Err(refuse("both `private_key` and `private_key_path` are given"));
            }
            (Some(text), None) => Some(PrivateKey::Text(text)),
            (None, Some(path)) => Some(PrivateKey::File(path.into())),
            (None, None) => None,
        };
        match (key, secret("token"), secret("oauth_token")) {
            (Some(key), None, None) => Ok(SignIn::KeyPair {
                account: self.required("account")?,
                user: self.required("user")?,
                key,
                passphrase: secret("private_key_passphrase"),
            }),
            (None, Some(token), None) => Ok(SignIn::ProgrammaticToken(token)),
            (None, None, Some(token)) => Ok(SignIn::OAuth(token)),
            (None, None, None) => Err(refuse("no credentials are given").help(
                "Give `user` with `private_key_path` or `private_key`, or a programmatic access token as `token`, \
                 or `oauth_token`",
            )),
            (_, _, _) => Err(refuse("more than one kind of credentials is given")
                .help("Keep one of the private key, `token` and `oauth_token`")),
        }
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
    fn debug_shows_no_secret() {
        let settings = read(json!({ "account": "a", "database": "d", "token": "hunter2" }));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
