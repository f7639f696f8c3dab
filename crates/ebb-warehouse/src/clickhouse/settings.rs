//! The settings of a `clickhouse` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings};
use url::Url;

use super::form::FORM;
use crate::{given::Given, pgwire::SslMode};

/// The port of the interface without encryption.
const PLAIN_PORT: u16 = 8123;

/// Where and as whom statements run, and how long they may take; no limit where it is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    /// The server's address, without a path.
    pub(super) address: Url,
    pub(super) sslmode: SslMode,
    /// Where trusted authorities come from; the system's if absent.
    pub(super) sslrootcert: Option<PathBuf>,
    /// Where models find tables that they name without a database; the user's own default if absent.
    pub(super) database: Option<String>,
    pub(super) sign_in: SignIn,
    pub(super) connect_timeout: Duration,
    /// How long a service may take to wake up.
    pub(super) start_timeout: Duration,
    pub(super) statement_timeout: Duration,
    /// Where Ebb's tables lie.
    pub(super) managed_schema: String,
}

/// How requests prove whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    Password {
        user: String,
        password: Secret,
    },
    /// A JSON Web Token of ClickHouse Cloud, or of a server that takes them.
    Token(Secret),
}

impl ConnectionSettings {
    /// Reads the settings; keys given beside `url` win over the URL's. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        let sslmode = given.choice("sslmode", &SslMode::ALL, SslMode::as_str)?;
        Ok(Self {
            address: address(&given, sslmode)?,
            sslmode,
            sslrootcert: given.path("sslrootcert"),
            database: given.text("database"),
            sign_in: sign_in(&given)?,
            connect_timeout: given.duration("connect_timeout")?,
            start_timeout: given.duration("start_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
            managed_schema: managed_schema.to_owned(),
        })
    }

    /// Host and port, for failures.
    pub(super) fn place(&self) -> String {
        let host = self.address.host_str().unwrap_or_default();
        format!("{host}:{}", self.address.port_or_known_default().unwrap_or_default())
    }
}

fn address(given: &Given, sslmode: SslMode) -> Result<Url, Failure> {
    let host = given.required("host")?;
    let is_plain = sslmode == SslMode::Disable;
    let scheme = if is_plain { "http" } else { "https" };
    let port = if is_plain && given.text("port").is_none() { PLAIN_PORT } else { given.port()? };
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let address = Url::parse(&format!("{scheme}://{bracketed}:{port}/")).ok();
    // Anything but a host would have become another part of the address.
    let is_bare = |address: &Url| {
        address.path() == "/"
            && address.query().is_none()
            && address.fragment().is_none()
            && address.username().is_empty()
            && address.password().is_none()
    };
    address.filter(is_bare).ok_or_else(|| {
        refuse(format!("`{host}` is not a host")).help(
            "Give a name such as `abc123.eu-central-1.aws.clickhouse.cloud`, without `https://`",
        )
    })
}

fn sign_in(given: &Given) -> Result<SignIn, Failure> {
    let (user, password) = (given.text("user"), given.get("password"));
    match (given.text("token"), user, password) {
        (Some(token), None, None) => Ok(SignIn::Token(Secret::new(&token))),
        (None, Some(user), password) => {
            Ok(SignIn::Password { user, password: Secret::new(password.unwrap_or_default()) })
        }
        (None, None, _) => Err(refuse("no credentials are given")
            .help("Give `user` and `password`, or an access token as `token`")),
        (Some(_), _, _) => Err(refuse("more than one kind of credentials is given")
            .help("Keep either `token`, or `user` and `password`")),
    }
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::{Code, Failure, Secret};
    use serde_json::{Value, json};

    use super::{ConnectionSettings, SignIn};
    use crate::pgwire::SslMode;

    fn read(settings: Value) -> Result<ConnectionSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        ConnectionSettings::read(&settings.into(), "managed")
    }

    #[test]
    fn a_url_and_single_settings_say_the_same() {
        let url =
            "clickhouse://ann%40x:p%2Fw@db.example:9443/shop?sslmode=verify-ca&connect_timeout=3";
        let single = json!({
            "host": "db.example", "port": 9443, "user": "ann@x", "password": "p/w",
            "database": "shop", "sslmode": "verify-ca", "connect_timeout": "3s",
        });
        let settings = read(json!({ "url": url })).unwrap();
        assert_eq!(settings, read(single).unwrap());
        let user = "ann@x".to_owned();
        assert_eq!(settings.sign_in, SignIn::Password { user, password: Secret::new("p/w") });
        assert_eq!(settings.connect_timeout, Duration::from_secs(3));
        assert_eq!(settings.address.as_str(), "https://db.example:9443/");
    }

    #[test]
    fn the_port_goes_with_the_encryption() {
        let settings = read(json!({ "host": "h", "user": "ann" })).unwrap();
        assert_eq!(
            (settings.address.as_str(), settings.sslmode),
            ("https://h:8443/", SslMode::VerifyFull)
        );
        let plain = json!({ "host": "::1", "token": "t", "sslmode": "disable" });
        assert_eq!(read(plain).unwrap().address.as_str(), "http://[::1]:8123/");
    }

    #[test]
    fn wrong_settings_are_named_and_secrets_are_not_told() {
        let cases = [
            json!({ "hots": "h", "user": "ann" }),
            json!({ "user": "ann", "password": "hunter2" }),
            json!({ "host": "h" }),
            json!({ "host": "h", "password": "hunter2" }),
            json!({ "host": "h", "user": "ann", "token": "hunter2" }),
            json!({ "host": "https://h", "user": "ann" }),
            json!({ "host": "h/path", "user": "ann" }),
            json!({ "host": "ann@h", "user": "ann" }),
            json!({ "host": "h", "user": "ann", "port": 70_000 }),
            json!({ "host": "h", "user": "ann", "sslmode": "prefer" }),
            json!({ "host": "h", "user": "ann", "statement_timeout": "soon" }),
            json!({ "url": "mysql://ann:hunter2@h/d" }),
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
        let settings = json!({ "host": "h", "user": "ann", "password": "hunter2" });
        assert!(!format!("{:?}", read(settings)).contains("hunter2"));
    }
}
