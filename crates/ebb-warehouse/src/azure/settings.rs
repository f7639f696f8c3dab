//! The settings of an `azure` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings};
use url::Url;

use super::form::FORM;
use crate::{
    given::{Given, wrong},
    pgwire::SslMode,
};

/// Where and as whom to connect, and how long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    pub(super) hostname: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) sign_in: SignIn,
    pub(super) sslmode: SslMode,
    /// Where trusted authorities come from; the system's if absent.
    pub(super) sslrootcert: Option<PathBuf>,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) lock_timeout: Duration,
    /// Where Ebb's tables lie, for the advice of failures.
    pub(super) managed_schema: String,
}

/// How Ebb proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    /// A login of the server's own.
    Password { user: String, password: Secret },
    /// A token of Entra ID that somebody else renews.
    Token(Secret),
    /// An application of Entra ID, which asks for tokens itself.
    Application(Application),
}

/// An application that Entra ID knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Application {
    /// Where tokens are asked for.
    pub(super) endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
}

impl ConnectionSettings {
    /// Reads the settings. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        Ok(Self {
            hostname: given.required("hostname")?,
            port: given.port()?,
            database: given.required("database")?,
            sign_in: sign_in(&given)?,
            sslmode: given.choice("sslmode", &SslMode::ALL, SslMode::as_str)?,
            sslrootcert: given.path("sslrootcert"),
            connect_timeout: given.duration("connect_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
            lock_timeout: given.duration("lock_timeout")?,
            managed_schema: managed_schema.to_owned(),
        })
    }

    /// Whom the server takes Ebb for, as far as the settings tell.
    pub(super) fn user(&self) -> Option<&str> {
        match &self.sign_in {
            SignIn::Password { user, .. } => Some(user),
            SignIn::Token(_) | SignIn::Application(_) => None,
        }
    }
}

fn sign_in(given: &Given) -> Result<SignIn, Failure> {
    let text = |key| given.get(key).filter(|text| !text.is_empty());
    let application = ["tenant_id", "client_id", "client_secret"].map(text);
    match (text("user"), text("access_token"), application) {
        (Some(user), None, [None, None, None]) => Ok(SignIn::Password {
            user: user.to_owned(),
            password: Secret::new(given.required("password")?),
        }),
        (None, Some(token), [None, None, None]) => Ok(SignIn::Token(Secret::new(token))),
        (None, None, [Some(tenant), Some(id), Some(secret)]) => {
            Ok(SignIn::Application(Application {
                endpoint: endpoint(given.value("authority").unwrap_or_default(), tenant)?,
                client_id: id.to_owned(),
                client_secret: Secret::new(secret),
            }))
        }
        (None, None, [None, None, None]) => {
            Err(refuse("no credentials are given").help(CREDENTIALS))
        }
        (None, None, _) => Err(refuse(
            "an application needs `tenant_id`, `client_id` and `client_secret`, all three",
        )),
        (_, _, _) => Err(refuse("more than one kind of credentials is given").help(CREDENTIALS)),
    }
}

const CREDENTIALS: &str = "Give `user` and `password`, or `tenant_id`, `client_id` and \
     `client_secret` of an application, or `access_token`";

/// Where an authority gives a tenant's applications their tokens.
fn endpoint(authority: &str, tenant: &str) -> Result<Url, Failure> {
    let expected = "an address such as `https://login.microsoftonline.com`";
    let mut url = Url::parse(authority).map_err(|_| wrong("authority", authority, expected))?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    if url.scheme() != "https" && !(local && url.scheme() == "http") {
        return Err(wrong("authority", authority, expected));
    }
    url.path_segments_mut()
        .map_err(|()| wrong("authority", authority, expected))?
        .pop_if_empty()
        .extend([tenant, "oauth2", "v2.0", "token"]);
    Ok(url)
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

#[cfg(test)]
mod tests {
    use ebb_core::{Code, Failure};
    use serde_json::{Value, json};

    use super::{ConnectionSettings, SignIn};
    use crate::pgwire::SslMode;

    fn read(settings: Value) -> Result<ConnectionSettings, Failure> {
        let mut all = json!({ "hostname": "shop.database.windows.net", "database": "shop" });
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        all.as_object_mut().unwrap().extend(settings);
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        ConnectionSettings::read(&all.as_object().unwrap().clone().into(), "managed")
    }

    #[test]
    fn certificates_are_judged_unless_the_settings_say_otherwise() {
        let settings = read(json!({ "user": "ebb", "password": "p" })).unwrap();
        assert_eq!((settings.port, settings.sslmode), (1433, SslMode::VerifyFull));
        assert_eq!(settings.user(), Some("ebb"));
    }

    #[test]
    fn an_application_asks_its_tenants_endpoint() {
        let application =
            json!({ "tenant_id": "acme/x", "client_id": "app", "client_secret": "s3cret" });
        let SignIn::Application(application) = read(application).unwrap().sign_in else {
            panic!("an application")
        };
        assert_eq!(
            application.endpoint.as_str(),
            "https://login.microsoftonline.com/acme%2Fx/oauth2/v2.0/token"
        );
        assert!(!format!("{application:?}").contains("s3cret"));
    }

    #[test]
    fn wrong_settings_are_named() {
        let told: Vec<_> = [
            json!({}),
            json!({ "user": "ebb" }),
            json!({ "user": "ebb", "password": "p", "hostname": null }),
            json!({ "user": "ebb", "password": "p", "database": null }),
            json!({ "user": "ebb", "password": "p", "host": "h" }),
            json!({ "user": "ebb", "password": "p", "access_token": "t" }),
            json!({ "tenant_id": "t", "client_id": "c" }),
            json!({ "tenant_id": "t", "client_id": "c", "client_secret": "s", "authority": "http://evil" }),
            json!({ "user": "ebb", "password": "p", "sslmode": "prefer" }),
            json!({ "user": "ebb", "password": "p", "url": "sqlserver://h" }),
        ]
        .into_iter()
        .map(|settings| {
            let failure = read(settings).unwrap_err();
            assert_eq!(failure.code, Code::SourceSettings);
            format!("{} | {}", failure.message(), failure.advice())
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
