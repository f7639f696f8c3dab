//! The settings of a `databricks` source, read and checked once.

use std::time::Duration;

use ebb_core::{Code, Failure, Secret, config::Settings};
use url::Url;

use super::form::FORM;
use crate::{given::Given, http};

/// Where and as whom statements run, and how long they may take; no limit where it is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    /// The address of the workspace, without a path.
    pub(super) address: Url,
    /// The SQL warehouse's id.
    pub(super) warehouse: String,
    pub(super) catalog: String,
    /// Where models find tables that they name without a schema.
    pub(super) schema: Option<String>,
    pub(super) sign_in: SignIn,
    pub(super) connect_timeout: Duration,
    /// How long a statement may wait for its warehouse.
    pub(super) start_timeout: Duration,
    /// How long it may run then.
    pub(super) statement_timeout: Duration,
    /// Where Ebb's tables lie, for the advice of failures.
    pub(super) managed_schema: String,
}

/// How requests prove whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    /// A personal access token.
    Token(Secret),
    /// A service principal, whose secret is exchanged for tokens that last an hour.
    Machine { id: String, secret: Secret },
}

impl ConnectionSettings {
    /// Reads the settings. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        let text = |key| given.get(key).filter(|text| !text.is_empty());
        Ok(Self {
            address: address(&given)?,
            warehouse: warehouse(&given.required("http_path")?)?,
            catalog: given.required("catalog")?,
            schema: text("schema").map(str::to_owned),
            sign_in: sign_in(text("token"), text("client_id"), text("client_secret"))?,
            connect_timeout: given.duration("connect_timeout")?,
            start_timeout: given.duration("start_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
            managed_schema: managed_schema.to_owned(),
        })
    }
}

fn address(given: &Given) -> Result<Url, Failure> {
    let host = given.required("hostname")?;
    let mut address = http::address(&host, "dbc-a1b2c3d4-e5f6.cloud.databricks.com")?;
    if given.get("port").is_some() && address.set_port(Some(given.port()?)).is_err() {
        return Err(refuse(format!("`{host}` cannot have a port")));
    }
    Ok(address)
}

/// The warehouse's id, which is the last part of its HTTP path.
fn warehouse(path: &str) -> Result<String, Failure> {
    let trimmed = path.trim_matches('/');
    let id = ["sql/1.0/warehouses/", "sql/1.0/endpoints/"]
        .iter()
        .find_map(|before| trimmed.strip_prefix(before))
        .filter(|id| !id.is_empty() && id.chars().all(|it| it.is_ascii_alphanumeric()));
    id.map(str::to_owned).ok_or_else(|| {
        refuse(format!("`{path}` is not the HTTP path of a SQL warehouse")).help(
            "Copy it from the connection details of the SQL warehouse: `/sql/1.0/warehouses/…`; clusters do not work",
        )
    })
}

fn sign_in(token: Option<&str>, id: Option<&str>, secret: Option<&str>) -> Result<SignIn, Failure> {
    match (token, id, secret) {
        (Some(token), None, None) => Ok(SignIn::Token(Secret::new(token))),
        (None, Some(id), Some(secret)) => {
            Ok(SignIn::Machine { id: id.to_owned(), secret: Secret::new(secret) })
        }
        (None, None, None) => Err(refuse("no credentials are given").help(
            "Give `client_id` and `client_secret` of a service principal, or a personal access token as `token`",
        )),
        (None, Some(_), None) => Err(refuse("`client_id` is given without `client_secret`")),
        (None, None, Some(_)) => Err(refuse("`client_secret` is given without `client_id`")),
        (Some(_), _, _) => Err(refuse("more than one kind of credentials is given")
            .help("Keep either `token`, or `client_id` and `client_secret`")),
    }
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

    /// Settings that fit, with some of them changed; null takes one away.
    fn read(changed: Value) -> Result<ConnectionSettings, Failure> {
        let Value::Object(mut settings) = json!({
            "hostname": "dbc-1.cloud.databricks.com",
            "http_path": "/sql/1.0/warehouses/a1b2",
            "catalog": "main",
            "token": "hunter2",
        }) else {
            panic!("settings are an object")
        };
        let Value::Object(changed) = changed else { panic!("settings are an object") };
        settings.extend(changed);
        settings.retain(|_, value| !value.is_null());
        ConnectionSettings::read(&settings.into(), "managed")
    }

    #[test]
    fn settings_are_read() {
        let settings = read(json!({
            "port": 8443, "schema": "sales", "token": null, "client_id": "id", "client_secret": "s",
            "start_timeout": "5min", "statement_timeout": 60,
        }))
        .unwrap();
        assert_eq!(settings.address.as_str(), "https://dbc-1.cloud.databricks.com:8443/");
        assert_eq!(settings.warehouse, "a1b2");
        assert_eq!(settings.schema.as_deref(), Some("sales"));
        assert_eq!(settings.start_timeout, Duration::from_mins(5));
        assert_eq!(settings.statement_timeout, Duration::from_mins(1));
        assert!(matches!(settings.sign_in, SignIn::Machine { .. }));
        let settings = read(json!({ "hostname": "https://adb-1.2.azuredatabricks.net/" })).unwrap();
        assert_eq!(settings.address.as_str(), "https://adb-1.2.azuredatabricks.net/");
    }

    #[test]
    fn wrong_settings_are_named_and_secrets_are_not_told() {
        let cases = [
            json!({ "hostnam": "h" }),
            json!({ "url": "databricks://hunter2@h" }),
            json!({ "hostname": null }),
            json!({ "hostname": "http://example.com" }),
            json!({ "hostname": "https://example.com/path" }),
            json!({ "http_path": "sql/protocolv1/o/0/0123-456789-abc" }),
            json!({ "http_path": "/sql/1.0/warehouses/a/../b" }),
            json!({ "catalog": null }),
            json!({ "token": null }),
            json!({ "client_id": "id" }),
            json!({ "token": null, "client_id": "id" }),
            json!({ "token": null, "client_secret": "hunter2" }),
            json!({ "port": 70000 }),
            json!({ "start_timeout": "soon" }),
            json!({ "catalog": ["main"] }),
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
        assert!(!format!("{:?}", read(json!({}))).contains("hunter2"));
    }
}
