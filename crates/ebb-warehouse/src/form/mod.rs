//! What each kind of source is and takes, as data: forms, interfaces and guides show it, and settings are read
//! by it.

pub(crate) mod common;
mod setting;
#[cfg(test)]
mod tests;

use ebb_core::{Code, Failure, suggest};
use serde::Serialize;

pub use setting::{Part, Setting, SettingKind};

/// A kind of source and its settings.
///
/// Texts for people are one sentence each, or less, and have no full stop at their end.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// The kind, as project files name it.
    pub kind: &'static str,
    /// The product's name.
    pub name: &'static str,
    /// What the kind is for.
    pub description: &'static str,
    /// Where the project's documentation tells all about it.
    pub guide: &'static str,
    /// Whether this build has it; `connect` fails with `C510` otherwise.
    pub available: bool,
    /// The schemes of its URLs, the one that is shown first. Empty for what has no setting `url`.
    #[serde(skip)]
    pub(crate) schemes: &'static [&'static str],
    /// Every setting that is allowed, in the order of a form.
    pub settings: &'static [Setting],
}

impl Form {
    /// The setting of a key, if there is one.
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// What to say of a key that is none of a setting.
    pub(crate) fn unknown(&self, key: &str) -> Failure {
        let Self { kind, settings, .. } = self;
        let article = if kind.starts_with('a') { "an" } else { "a" };
        let message = format!("`{key}` is not a setting of {article} {kind} source");
        Failure::new(Code::SourceSettings, message)
            .help(suggest::allowed(key, settings.iter().map(|setting| setting.key)))
    }
}
