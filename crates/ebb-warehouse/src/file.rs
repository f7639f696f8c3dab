//! The settings of sources that are a file on this machine.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ebb_core::{Code, Failure, config::Settings};

use crate::{
    form::{Form, Setting, SettingKind, common::STATEMENT_TIMEOUT},
    given::Given,
};

/// What such a source takes.
pub(crate) const SETTINGS: [Setting; 2] = [
    Setting::connection(
        "path",
        "Database file",
        "The database's file; a relative path starts from the project folder",
    )
    .of(SettingKind::Path)
    .required(),
    STATEMENT_TIMEOUT,
];

/// The settings of a source that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSettings {
    /// The database file.
    pub(crate) path: PathBuf,
    /// How long one statement may take; `None` is as long as it takes.
    pub(crate) statement_timeout: Option<Duration>,
}

impl FileSettings {
    /// Reads the settings. Fails with `S115`.
    pub(crate) fn read(form: &'static Form, settings: &Settings) -> Result<Self, Failure> {
        let given = Given::read(form, settings)?;
        let path = given.required("path")?.into();
        let limit = given.duration("statement_timeout")?;
        Ok(Self { path, statement_timeout: Some(limit).filter(|limit| !limit.is_zero()) })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::Code;
    use serde_json::json;

    use super::FileSettings;
    use crate::sqlite::FORM;

    fn read(settings: &serde_json::Value) -> Result<FileSettings, ebb_core::Failure> {
        FileSettings::read(&FORM, &settings.as_object().unwrap().clone().into())
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
        assert_eq!(failure.message(), "`pth` is not a setting of a sqlite source");
        assert_eq!(failure.advice(), "Did you mean `path`? Allowed: `path`, `statement_timeout`");
    }
}
