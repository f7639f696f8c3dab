//! The configuration at one moment: the project's files, and what people made beside them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use ebb_core::{Code, Failure, Secret, config::Problem};
use ebb_store::{Database, Entry};
use ebb_workspace::{Vault, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{alone, tables::Kept};

/// A kind of entries.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Section {
    Sources,
    Models,
    Destinations,
    Mappings,
    Channels,
    AlertRules,
}

impl Section {
    /// The section of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Sources,
            Self::Models,
            Self::Destinations,
            Self::Mappings,
            Self::Channels,
            Self::AlertRules,
        ];
        all.into_iter().find(|section| section.as_str() == name)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Models => "models",
            Self::Destinations => "destinations",
            Self::Mappings => "mappings",
            Self::Channels => "channels",
            Self::AlertRules => "alert_rules",
        }
    }

    /// One of them, as a word.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Sources => "source",
            Self::Models => "model",
            Self::Destinations => "destination",
            Self::Mappings => "mapping",
            Self::Channels => "channel",
            Self::AlertRules => "rule",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Entries of the control database by section and name.
pub(super) type Made = BTreeMap<(String, String), Entry>;

/// The configuration. It never changes; an edit makes another one.
pub(crate) struct Configuration {
    /// Everything that there is.
    pub(crate) workspace: Workspace,
    /// What comes from files alone.
    pub(super) files: Arc<Workspace>,
    /// What was made in the page or by the API.
    pub(super) made: Made,
    pub(super) secrets: BTreeMap<String, Secret>,
    /// What its sources told of their tables.
    pub(super) tables: Kept,
}

impl Configuration {
    /// Reads what was made beside these files.
    pub(super) async fn load(
        files: Arc<Workspace>,
        store: &Database,
        vault: &Vault,
    ) -> Result<Self, Vec<Problem>> {
        let mut secrets = BTreeMap::new();
        for sealed in store.secrets().await.map_err(alone)? {
            let secret = vault.open(&sealed).map_err(alone)?;
            secrets.insert(sealed.name, secret);
        }
        let entries = store.entries().await.map_err(alone)?;
        let made =
            entries.into_iter().map(|entry| ((entry.section.clone(), entry.name.clone()), entry));
        Self::new(files, made.collect(), secrets)
    }

    pub(super) fn new(
        files: Arc<Workspace>,
        made: Made,
        secrets: BTreeMap<String, Secret>,
    ) -> Result<Self, Vec<Problem>> {
        let workspace = files.with_entries(made.values(), secrets.clone())?;
        Ok(Self { workspace, files, made, secrets, tables: Kept::default() })
    }

    /// What people made of this name; `None` if it comes from files, or is not there.
    pub(crate) fn made(&self, section: Section, name: &str) -> Option<&Entry> {
        self.made.get(&(section.as_str().to_owned(), name.to_owned()))
    }

    /// Whether there is something of this name in the files.
    pub(crate) fn in_files(&self, section: Section, name: &str) -> bool {
        let project = &self.files.project;
        match section {
            Section::Sources => project.sources.contains_key(name),
            Section::Models => project.models.contains_key(name),
            Section::Destinations => project.destinations.contains_key(name),
            Section::Mappings => project.mappings.contains_key(name),
            Section::Channels => project.channels.contains_key(name),
            Section::AlertRules => project.alert_rules.contains_key(name),
        }
    }

    /// Whether there is something of this name at all; `A609` if not.
    pub(crate) fn find(&self, section: Section, name: &str) -> Result<(), Failure> {
        if self.in_files(section, name) || self.made(section, name).is_some() {
            return Ok(());
        }
        Err(Failure::new(Code::AddressUnknown, format!("there is no {} `{name}`", section.noun())))
    }
}

/// A document as people see it: references to its secrets are left out, and what stands escaped is plain
/// again.
pub(crate) fn shown(document: &Value) -> Value {
    match document {
        Value::String(text) => text.replace("$${", "${").into(),
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Object(entries) => {
            let shown: Map<String, Value> = entries
                .iter()
                .filter(|(_, value)| !is_secret(value))
                .map(|(key, value)| (key.clone(), shown(value)))
                .collect();
            shown.into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => document.clone(),
    }
}

/// Whether a value stands for a secret.
pub(crate) fn is_secret(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("${secret:"))
}
