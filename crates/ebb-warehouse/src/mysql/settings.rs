//! The settings of a `mysql` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Failure, Secret, config::Settings};

use super::form::FORM;
use crate::given::Given;

/// How strict the connection is about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted; the certificate is judged only if `sslrootcert` is given.
    Require,
    /// Encrypted; the certificate comes from a trusted authority.
    VerifyCa,
    /// The same, and the certificate names the host.
    VerifyFull,
}

impl SslMode {
    /// Every mode, from lax to strict.
    const ALL: [Self; 4] = [Self::Disable, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// The mode as settings name it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Where and as whom to connect, and how long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    /// A name, an address, or the path of a Unix socket.
    pub(super) host: String,
    pub(super) port: u16,
    /// Where the model's tables are looked for that name none.
    pub(super) database: Option<String>,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) sslmode: SslMode,
    /// Where trusted authorities come from; the system's if absent.
    pub(super) sslrootcert: Option<PathBuf>,
    /// The client's certificate and its key.
    pub(super) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) lock_timeout: Duration,
    /// Where Ebb's tables lie, and what failures advise about.
    pub(super) managed_schema: String,
}

impl ConnectionSettings {
    /// Reads the settings; keys given beside `url` win over the URL's. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        Ok(Self {
            user: given.required("user")?,
            port: given.port()?,
            sslmode: given.choice("sslmode", &SslMode::ALL, SslMode::as_str)?,
            client_certificate: given.client_certificate()?,
            host: given.required("host")?,
            database: given.get("database").map(str::to_owned),
            password: given.get("password").map(Secret::new),
            sslrootcert: given.path("sslrootcert"),
            connect_timeout: given.duration("connect_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
            lock_timeout: given.duration("lock_timeout")?,
            managed_schema: managed_schema.to_owned(),
        })
    }

    /// Whether the host is the path of a Unix socket.
    pub(super) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::{Code, Failure, Secret};
    use serde_json::{Value, json};

    use super::{ConnectionSettings, SslMode};

    fn read(settings: Value) -> Result<ConnectionSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        ConnectionSettings::read(&settings.into(), "managed")
    }

    fn refused(settings: Value) -> String {
        let failure = read(settings).unwrap_err();
        assert_eq!(failure.code, Code::SourceSettings);
        format!("{} | {}", failure.message(), failure.advice())
    }

    #[test]
    fn a_url_and_single_settings_say_the_same() {
        let url = "mysql://ann%40x:p%2Fw@db.example:3307/shop?sslmode=require&connect_timeout=3";
        let single = json!({
            "host": "db.example", "port": 3307, "user": "ann@x", "password": "p/w",
            "database": "shop", "sslmode": "require", "connect_timeout": "3s",
        });
        let settings = read(json!({ "url": url })).unwrap();
        assert_eq!(settings, read(single).unwrap());
        assert_eq!(settings.password, Some(Secret::new("p/w")));
        assert_eq!(settings.connect_timeout, Duration::from_secs(3));
    }

    #[test]
    fn certificates_are_judged_unless_the_settings_say_otherwise() {
        let settings = read(json!({ "host": "h", "user": "ann" })).unwrap();
        assert_eq!((settings.port, settings.database), (3306, None));
        assert_eq!(settings.sslmode, SslMode::VerifyFull);
    }

    #[test]
    fn a_path_is_a_unix_socket() {
        for settings in [
            json!({ "host": "/run/mysqld/mysqld.sock", "user": "ann" }),
            json!({ "url": "mysql://ann@%2Frun%2Fmysqld%2Fmysqld.sock/shop" }),
        ] {
            let settings = read(settings).unwrap();
            assert!(settings.is_socket());
            assert_eq!(settings.host, "/run/mysqld/mysqld.sock");
        }
    }

    #[test]
    fn wrong_settings_are_named() {
        let cases = [
            json!({ "hots": "h", "user": "ann" }),
            json!({ "host": "h" }),
            json!({ "user": "ann" }),
            json!({ "host": "h", "user": "ann", "port": 70_000 }),
            json!({ "host": "h", "user": "ann", "sslmode": "prefer" }),
            json!({ "host": "h", "user": "ann", "sslcert": "a.pem" }),
            json!({ "host": "h", "user": "ann", "statement_timeout": "soon" }),
            json!({ "host": ["h"], "user": "ann" }),
            json!({ "url": "mysql://ann@h/d?ssl_mode=require" }),
        ];
        let told: Vec<String> = cases.into_iter().map(refused).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_wrong_url_is_never_shown() {
        for url in ["mysql://ann:hunter2@h:port/d", "postgres://ann:hunter2@h/d", "hunter2"] {
            assert!(!refused(json!({ "url": url })).contains("hunter2"));
        }
    }
}
