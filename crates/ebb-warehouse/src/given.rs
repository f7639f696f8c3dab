//! Settings of a source that is a server: from a project file, from a URL, or from both.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, config::Settings, suggest};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

/// What a kind of server is called and takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// The kind of source.
    pub(crate) kind: &'static str,
    /// The product's name.
    pub(crate) name: &'static str,
    /// The schemes of its URLs; the first one is shown. None for what has no URL.
    pub(crate) schemes: &'static [&'static str],
    /// The port where nothing else is said.
    pub(crate) port: u16,
    /// The keys that are allowed, in a project file and in a URL's query alike (but for `url` itself).
    pub(crate) keys: &'static [&'static str],
}

impl Server {
    fn example(&self) -> String {
        let scheme = self.schemes.first().copied().unwrap_or(self.kind);
        format!("{scheme}://user:password@host:{}/database", self.port)
    }
}

/// Settings as they were given, texts all of them.
pub(crate) struct Given {
    server: &'static Server,
    values: Vec<(&'static str, String)>,
}

impl Given {
    /// Takes the settings; keys given beside `url` win over the URL's. Fails with `S115`.
    pub(crate) fn read(server: &'static Server, settings: &Settings) -> Result<Self, Failure> {
        let mut given = Self { server, values: Vec::new() };
        let has_url = !server.schemes.is_empty();
        if let Some(url) = settings.get("url").filter(|_| has_url) {
            given.take_url(url)?;
        }
        for (key, value) in settings.iter().filter(|(key, _)| *key != "url" || !has_url) {
            given.take(key, scalar(key, value)?)?;
        }
        Ok(given)
    }

    fn take(&mut self, key: &str, value: String) -> Result<(), Failure> {
        let Server { kind, keys, .. } = self.server;
        let known = keys.iter().copied().find(|known| *known == key && *known != "url");
        let Some(known) = known else {
            let article = if kind.starts_with('a') { "an" } else { "a" };
            return Err(refuse(format!("`{key}` is not a setting of {article} {kind} source"))
                .help(suggest::allowed(key, keys.iter().copied())));
        };
        self.values.retain(|(taken, _)| *taken != known);
        self.values.push((known, value));
        Ok(())
    }

    /// Takes a URL apart. No message may show it: it holds the password.
    fn take_url(&mut self, url: &Value) -> Result<(), Failure> {
        let server = self.server;
        let scheme = server.schemes.first().copied().unwrap_or(server.kind);
        let broken = |what: &str| {
            refuse(format!("the setting `url` is not a {} URL: {what}", server.name)).help(format!(
                "Write it as `{}`; characters such as `@`, `/`, `:` \
                 and `%` in user or password must be percent-encoded, or give `user` and `password` as settings of their own",
                server.example()
            ))
        };
        let text = url.as_str().ok_or_else(|| broken("it is not text"))?;
        let url = Url::parse(text).map_err(|error| broken(&error.to_string()))?;
        if !server.schemes.contains(&url.scheme()) {
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

    /// A setting, unless it is empty.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What must be given for a key.
    pub(crate) fn required(&self, key: &str) -> Result<String, Failure> {
        self.text(key).ok_or_else(|| {
            let missing = refuse(format!("the setting `{key}` is missing"));
            if self.server.schemes.is_empty() {
                return missing.help(format!("Add `{key}`"));
            }
            missing.help(format!("Add `{key}`, or `url: {}`", self.server.example()))
        })
    }

    /// A length of time.
    pub(crate) fn duration(&self, key: &str, default: Duration) -> Result<Duration, Failure> {
        let Some(text) = self.get(key) else { return Ok(default) };
        let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
        seconds
            .or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok())
            .ok_or_else(|| wrong(key, text, "seconds such as `30`, or a time such as `5min`"))
    }

    /// The port.
    pub(crate) fn port(&self) -> Result<u16, Failure> {
        self.get("port").map_or(Ok(self.server.port), |text| {
            text.parse().map_err(|_| wrong("port", text, "a number up to 65535"))
        })
    }

    /// One of several values, each with its name.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
        default: T,
    ) -> Result<T, Failure> {
        let Some(text) = self.get(key) else { return Ok(default) };
        all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| {
            refuse(format!("`{text}` is not allowed for `{key}`"))
                .help(suggest::allowed(text, all.iter().copied().map(name).collect::<Vec<_>>()))
        })
    }

    /// A file.
    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        self.get(key).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    /// The client's certificate and its key, which come together.
    pub(crate) fn client_certificate(&self) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
        match (self.path("sslcert"), self.path("sslkey")) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(refuse("`sslcert` is given without `sslkey`")),
            (None, Some(_)) => Err(refuse("`sslkey` is given without `sslcert`")),
        }
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
fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

/// A setting whose value does not fit.
pub(crate) fn wrong(key: &str, value: &str, expected: &str) -> Failure {
    refuse(format!("`{value}` is not allowed for `{key}`")).help(format!("Give {expected}"))
}
