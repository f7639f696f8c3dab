//! The settings of sources that are a file on this machine.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ebb_core::{Code, Failure, config::Settings, suggest};
use jiff::SignedDuration;
use serde_json::Value;

/// The settings of a source that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSettings {
    /// The database file.
    pub(crate) path: PathBuf,
    /// How long one statement may take; `None` is as long as it takes.
    pub(crate) statement_timeout: Option<Duration>,
}

impl FileSettings {
    /// Reads the settings of a kind strictly. Fails with `S115`.
    pub(crate) fn read(kind: &str, settings: &Settings) -> Result<Self, Failure> {
        const KEYS: [&str; 2] = ["path", "statement_timeout"];
        let refuse = |message: String| Failure::new(Code::SourceSettings, message);
        if let Some(unknown) = settings.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(refuse(format!("a `{kind}` source has no setting `{unknown}`"))
                .help(suggest::allowed(unknown, KEYS)));
        }
        let path = match settings.get("path") {
            Some(Value::String(path)) if !path.is_empty() => PathBuf::from(path),
            Some(_) => return Err(refuse("the setting `path` is not a file's name".to_owned())),
            None => {
                return Err(refuse(format!("a `{kind}` source needs the setting `path`"))
                    .help("Name the database file, such as `path: shop.db`"));
            }
        };
        let statement_timeout = match settings.get("statement_timeout") {
            None => Some(Duration::from_hours(1)),
            Some(value) => Some(duration(value).ok_or_else(|| {
                refuse(format!("the setting `statement_timeout` is not a time: `{value}`"))
                    .help("Write seconds such as `90`, or a time such as `30m`")
            })?)
            .filter(|duration| !duration.is_zero()),
        };
        Ok(Self { path, statement_timeout })
    }

    /// Fails with `S112` unless the file is there.
    pub(crate) fn check_exists(&self) -> Result<(), Failure> {
        if self.path.is_file() {
            return Ok(());
        }
        Err(Failure::new(
            Code::SourceMissing,
            format!("the database file `{}` does not exist", self.path.display()),
        ))
    }

    /// The file as people and URIs name it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn duration(value: &Value) -> Option<Duration> {
    if let Some(seconds) = value.as_u64() {
        return Some(Duration::from_secs(seconds));
    }
    let text = value.as_str()?;
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    seconds.or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::Code;
    use serde_json::json;

    use super::FileSettings;

    fn read(settings: &serde_json::Value) -> Result<FileSettings, ebb_core::Failure> {
        FileSettings::read("sqlite", &settings.as_object().unwrap().clone().into())
    }

    #[test]
    fn a_time_out_is_seconds_or_a_time_and_zero_is_none() {
        for (given, expected) in [
            (json!({ "path": "a.db" }), Some(3600)),
            (json!({ "path": "a.db", "statement_timeout": "30m" }), Some(1800)),
            (json!({ "path": "a.db", "statement_timeout": 90 }), Some(90)),
            (json!({ "path": "a.db", "statement_timeout": "90" }), Some(90)),
            (json!({ "path": "a.db", "statement_timeout": 0 }), None),
        ] {
            let settings = read(&given).unwrap();
            assert_eq!(settings.statement_timeout, expected.map(Duration::from_secs), "{given}");
        }
    }

    #[test]
    fn unknown_and_wrong_settings_are_refused() {
        for given in [
            json!({}),
            json!({ "path": "" }),
            json!({ "path": 1 }),
            json!({ "path": "a.db", "statement_timeout": "soon" }),
        ] {
            assert_eq!(read(&given).unwrap_err().code, Code::SourceSettings, "{given}");
        }
        let failure = read(&json!({ "pth": "a.db" })).unwrap_err();
        assert_eq!(failure.message(), "a `sqlite` source has no setting `pth`");
        assert_eq!(failure.advice(), "Did you mean `path`? Allowed: `path`, `statement_timeout`");
    }
}
