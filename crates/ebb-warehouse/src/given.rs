//! Settings of a source, read by its form: from a project file, from a URL, or from both.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, config::Settings, suggest};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use crate::form::{Form, Setting, SettingKind};

/// Settings as they were given, texts all of them.
pub(crate) struct Given {
    form: &'static Form,
    values: Vec<(&'static str, String)>,
}

impl Given {
    /// Takes settings that a form allows; what stands beside `url` wins over it. Fails with `S115`.
    pub(crate) fn read(form: &'static Form, settings: &Settings) -> Result<Self, Failure> {
        let mut given = Self { form, values: Vec::new() };
        let has_url = !form.schemes.is_empty();
        if let Some(url) = settings.get("url").filter(|_| has_url) {
            given.take_url(url)?;
        }
        for (key, value) in settings.iter().filter(|(key, _)| *key != "url" || !has_url) {
            given.take(key, value)?;
        }
        Ok(given)
    }

    fn take(&mut self, key: &str, value: &Value) -> Result<(), Failure> {
        let setting = self.form.setting(key).filter(|known| known.key != "url");
        let setting = setting.ok_or_else(|| self.form.unknown(key))?;
        let value = scalar(setting, value)?;
        self.values.retain(|(taken, _)| *taken != setting.key);
        self.values.push((setting.key, value));
        Ok(())
    }

    /// Takes a URL apart. No message may show it: it holds the password.
    fn take_url(&mut self, url: &Value) -> Result<(), Failure> {
        let form = self.form;
        let scheme = form.schemes.first().copied().unwrap_or(form.kind);
        let example = self.example();
        let broken = |what: &str| {
            refuse(format!("the setting `url` is not a {} URL: {what}", form.name)).help(format!(
                "Write it as `{example}`; characters such as `@`, `/`, `:` \
                 and `%` in user or password must be percent-encoded, or give `user` and `password` as settings of their own"
            ))
        };
        let text = url.as_str().ok_or_else(|| broken("it is not text"))?;
        let url = Url::parse(text).map_err(|error| broken(&error.to_string()))?;
        if !form.schemes.contains(&url.scheme()) {
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
                self.take(key, &decoded(part)?.into())?;
            }
        }
        if let Some(port) = url.port() {
            self.take("port", &port.into())?;
        }
        for (key, value) in url.query_pairs() {
            self.take(&key, &value.into_owned().into())?;
        }
        Ok(())
    }

    fn example(&self) -> String {
        let scheme = self.form.schemes.first().copied().unwrap_or(self.form.kind);
        let port = self.form.setting("port").and_then(|port| port.default).unwrap_or_default();
        format!("{scheme}://user:password@host:{port}/database")
    }

    /// What was given for a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(taken, _)| *taken == key).map(|(_, value)| value.as_str())
    }

    /// What was given for a key, unless it is empty, or else what its form says.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let given = self.get(key).filter(|text| !text.is_empty());
        given.or_else(|| self.form.setting(key)?.default)
    }

    /// A setting, unless it is empty.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What must be given for a key.
    pub(crate) fn required(&self, key: &str) -> Result<String, Failure> {
        self.text(key).ok_or_else(|| {
            let missing = refuse(format!("the setting `{key}` is missing"));
            if self.form.schemes.is_empty() {
                return missing.help(format!("Add `{key}`"));
            }
            missing.help(format!("Add `{key}`, or `url: {}`", self.example()))
        })
    }

    /// A length of time; zero, which is no limit, where neither settings nor form say one.
    pub(crate) fn duration(&self, key: &str) -> Result<Duration, Failure> {
        let Some(text) = self.value(key) else { return Ok(Duration::ZERO) };
        let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
        seconds
            .or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok())
            .ok_or_else(|| wrong(key, text, "seconds such as `30`, or a time such as `5min`"))
    }

    /// The port.
    pub(crate) fn port(&self) -> Result<u16, Failure> {
        let text = self.value("port").unwrap_or_default();
        text.parse().map_err(|_| wrong("port", text, "a number up to 65535"))
    }

    /// One of several values, each with its name; those that the form allows.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, Failure> {
        let text = self.value(key).unwrap_or_default();
        let choices = match self.form.setting(key).map(|setting| setting.kind) {
            Some(SettingKind::Choice(choices)) => choices,
            Some(_) | None => &[],
        };
        let chosen = choices.contains(&text);
        all.iter().copied().find(|one| chosen && name(*one) == text).ok_or_else(|| {
            refuse(format!("`{text}` is not allowed for `{key}`"))
                .help(suggest::allowed(text, choices.iter().copied()))
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

/// A value as text. A number may be a name or a password, but no path: projects make paths absolute that are
/// texts.
fn scalar(setting: &Setting, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if setting.kind != SettingKind::Path => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let expected = if setting.kind == SettingKind::Path {
                "not a file's name"
            } else {
                "neither text nor a number"
            };
            Err(refuse(format!("the setting `{}` is {expected}", setting.key)))
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
