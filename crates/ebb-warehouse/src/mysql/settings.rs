//! The settings of a `mysql` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings, suggest};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

/// The keys that are allowed, in a project file and in a URL's query alike (but for `url` itself).
const KEYS: [&str; 13] = [
    "url",
    "host",
    "port",
    "database",
    "user",
    "password",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "statement_timeout",
    "lock_timeout",
];

/// How strict the connection is about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted; the certificate is judged only if `sslrootcert` is given.
    Require,
    /// Encrypted; the certificate comes from a trusted authority.
    VerifyCa,
    /// The same, and the certificate names the host.
    #[default]
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
        let mut given = Given::default();
        if let Some(url) = settings.get("url") {
            given.take_url(url)?;
        }
        for (key, value) in settings.iter().filter(|(key, _)| *key != "url") {
            given.take(key, scalar(key, value)?)?;
        }
        given.check(managed_schema)
    }

    /// Whether the host is the path of a Unix socket.
    pub(super) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// Settings as they were given, texts all of them.
#[derive(Default)]
struct Given(Vec<(&'static str, String)>);

impl Given {
    fn take(&mut self, key: &str, value: String) -> Result<(), Failure> {
        let known = KEYS.into_iter().find(|known| *known == key && *known != "url");
        let Some(known) = known else {
            return Err(refuse(format!("`{key}` is not a setting of a mysql source"))
                .help(suggest::allowed(key, KEYS)));
        };
        self.0.retain(|(taken, _)| *taken != known);
        self.0.push((known, value));
        Ok(())
    }

    /// Takes a URL apart. No message may show it: it holds the password.
    fn take_url(&mut self, url: &Value) -> Result<(), Failure> {
        let broken = |what: &str| {
            refuse(format!("the setting `url` is not a MySQL URL: {what}")).help(
                "Write it as `mysql://user:password@host:3306/database`; characters such as `@`, `/`, `:` \
                 and `%` in user or password must be percent-encoded, or give `user` and `password` as settings of their own",
            )
        };
        let text = url.as_str().ok_or_else(|| broken("it is not text"))?;
        let url = Url::parse(text).map_err(|error| broken(&error.to_string()))?;
        if !matches!(url.scheme(), "mysql" | "mariadb") {
            return Err(broken("it does not begin with `mysql://`"));
        }
        let decoded = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| broken("a percent-encoded part is not UTF-8"))
        };
        let parts = [
            ("host", url.host_str().map(|host| host.trim_matches(['[', ']']))),
            ("user", Some(url.username())),
            ("password", url.password()),
            ("database", url.path().strip_prefix('/')),
        ];
        for (key, part) in parts {
            if let Some(part) = part.filter(|part| !part.is_empty()) {
                self.take(key, decoded(part)?)?;
            }
        }
        if let Some(port) = url.port() {
            self.take("port", port.to_string())?;
        }
        for (key, value) in url.query_pairs() {
            self.take(&key, value.into_owned())?;
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(taken, _)| *taken == key).map(|(_, value)| value.as_str())
    }

    fn required(&self, key: &str) -> Result<String, Failure> {
        self.get(key).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| {
            refuse(format!("the setting `{key}` is missing"))
                .help(format!("Add `{key}`, or `url: mysql://user:password@host:3306/database`"))
        })
    }

    fn duration(&self, key: &str, default: Duration) -> Result<Duration, Failure> {
        let Some(text) = self.get(key) else { return Ok(default) };
        let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
        seconds
            .or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok())
            .ok_or_else(|| wrong(key, text, "seconds such as `30`, or a time such as `5min`"))
    }

    fn check(&self, managed_schema: &str) -> Result<ConnectionSettings, Failure> {
        let user = self.required("user")?;
        let port = self.get("port").map_or(Ok(3306), |text| {
            text.parse().map_err(|_| wrong("port", text, "a number up to 65535"))
        })?;
        let sslmode = self.get("sslmode").map_or(Ok(SslMode::default()), |text| {
            SslMode::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
                refuse(format!("`{text}` is not an `sslmode`"))
                    .help(suggest::allowed(text, SslMode::ALL.map(SslMode::as_str)))
            })
        })?;
        let path = |key| self.get(key).filter(|text| !text.is_empty()).map(PathBuf::from);
        let client_certificate = match (path("sslcert"), path("sslkey")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(refuse("`sslcert` is given without `sslkey`")),
            (None, Some(_)) => return Err(refuse("`sslkey` is given without `sslcert`")),
        };
        Ok(ConnectionSettings {
            host: self.required("host")?,
            port,
            database: self.get("database").map(str::to_owned),
            user,
            password: self.get("password").map(Secret::new),
            sslmode,
            sslrootcert: path("sslrootcert"),
            client_certificate,
            connect_timeout: self.duration("connect_timeout", Duration::from_secs(10))?,
            statement_timeout: self.duration("statement_timeout", Duration::from_hours(1))?,
            lock_timeout: self.duration("lock_timeout", Duration::from_mins(5))?,
            managed_schema: managed_schema.to_owned(),
        })
    }
}

fn scalar(key: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(refuse(format!("the setting `{key}` is neither text nor a number")))
        }
    }
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

fn wrong(key: &str, value: &str, expected: &str) -> Failure {
    refuse(format!("`{value}` is not allowed for `{key}`")).help(format!("Give {expected}"))
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
