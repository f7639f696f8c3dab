//! Where a server is and who connects: settings of a project file, or a URL.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings, suggest};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::tls::SslMode;

/// What differs between the products that speak the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// The kind of source.
    pub(crate) kind: &'static str,
    /// The product's name.
    pub(crate) name: &'static str,
    /// The schemes of its URLs; the first one is shown.
    pub(crate) schemes: &'static [&'static str],
    /// The port where nothing else is said.
    pub(crate) port: u16,
    /// How strict a connection is about encryption where nothing else is said.
    pub(crate) sslmode: SslMode,
    /// The keys that are allowed, in a project file and in a URL's query alike (but for `url` itself).
    pub(crate) keys: &'static [&'static str],
    /// Where an administrator says who may connect from where.
    pub(crate) admission: &'static str,
}

impl Product {
    fn example(&self) -> String {
        let scheme = self.schemes.first().copied().unwrap_or(self.kind);
        format!("{scheme}://user:password@host:{}/database", self.port)
    }
}

/// Where and as whom to connect, and how long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectionSettings {
    pub(crate) product: &'static Product,
    /// A name, an address, or the folder of a Unix socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) sslmode: SslMode,
    /// Where trusted authorities come from; the system's if absent.
    pub(crate) sslrootcert: Option<PathBuf>,
    /// The client's certificate and its key.
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    /// The longest wait for a locked table, at servers that have such a limit.
    pub(crate) lock_timeout: Duration,
    /// Where Ebb's tables lie, for the advice of failures.
    pub(crate) managed_schema: String,
}

impl ConnectionSettings {
    /// Whether the host is the folder of a Unix socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// Settings as they were given, texts all of them.
pub(crate) struct Given {
    product: &'static Product,
    values: Vec<(&'static str, String)>,
}

impl Given {
    /// Takes the settings; keys given beside `url` win over the URL's. Fails with `S115`.
    pub(crate) fn read(product: &'static Product, settings: &Settings) -> Result<Self, Failure> {
        let mut given = Self { product, values: Vec::new() };
        if let Some(url) = settings.get("url") {
            given.take_url(url)?;
        }
        for (key, value) in settings.iter().filter(|(key, _)| *key != "url") {
            given.take(key, scalar(key, value)?)?;
        }
        Ok(given)
    }

    fn take(&mut self, key: &str, value: String) -> Result<(), Failure> {
        let Product { kind, keys, .. } = self.product;
        let known = keys.iter().copied().find(|known| *known == key && *known != "url");
        let Some(known) = known else {
            return Err(refuse(format!("`{key}` is not a setting of a {kind} source"))
                .help(suggest::allowed(key, keys.iter().copied())));
        };
        self.values.retain(|(taken, _)| *taken != known);
        self.values.push((known, value));
        Ok(())
    }

    /// Takes a URL apart. No message may show it: it holds the password.
    fn take_url(&mut self, url: &Value) -> Result<(), Failure> {
        let product = self.product;
        let scheme = product.schemes.first().copied().unwrap_or(product.kind);
        let broken = |what: &str| {
            refuse(format!("the setting `url` is not a {} URL: {what}", product.name)).help(format!(
                "Write it as `{}`; characters such as `@`, `/`, `:` \
                 and `%` in user or password must be percent-encoded, or give `user` and `password` as settings of their own",
                product.example()
            ))
        };
        let text = url.as_str().ok_or_else(|| broken("it is not text"))?;
        let url = Url::parse(text).map_err(|error| broken(&error.to_string()))?;
        if !product.schemes.contains(&url.scheme()) {
            return Err(broken(&format!("it does not begin with `{scheme}://`")));
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

    /// What was given for a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(taken, _)| *taken == key).map(|(_, value)| value.as_str())
    }

    fn required(&self, key: &str) -> Result<String, Failure> {
        self.get(key).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| {
            refuse(format!("the setting `{key}` is missing"))
                .help(format!("Add `{key}`, or `url: {}`", self.product.example()))
        })
    }

    fn duration(&self, key: &str, default: Duration) -> Result<Duration, Failure> {
        let Some(text) = self.get(key) else { return Ok(default) };
        let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
        seconds
            .or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok())
            .ok_or_else(|| wrong(key, text, "seconds such as `30`, or a time such as `5min`"))
    }

    /// The settings that every product has. Fails with `S115` for what is missing or wrong.
    pub(crate) fn connection(&self, managed_schema: &str) -> Result<ConnectionSettings, Failure> {
        let user = self.required("user")?;
        let port = self.get("port").map_or(Ok(self.product.port), |text| {
            text.parse().map_err(|_| wrong("port", text, "a number up to 65535"))
        })?;
        let sslmode = self.get("sslmode").map_or(Ok(self.product.sslmode), |text| {
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
            product: self.product,
            host: self.required("host")?,
            port,
            database: self.get("database").unwrap_or(&user).to_owned(),
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

/// Settings that do not fit.
pub(crate) fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

/// A setting whose value does not fit.
pub(crate) fn wrong(key: &str, value: &str, expected: &str) -> Failure {
    refuse(format!("`{value}` is not allowed for `{key}`")).help(format!("Give {expected}"))
}
