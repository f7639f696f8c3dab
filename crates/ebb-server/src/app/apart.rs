//! Documents taken apart: their secrets go to the vault, and every other text is plain.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

use ebb_core::{
    Code, Failure, Secret,
    config::{Place, Problem, plain},
};
use ebb_store::Entry;
use ebb_warehouse::SettingKind;
use serde_json::{Map, Value};

use super::{Configuration, Section, again::given_again, configuration::is_secret};
use crate::alerts;

/// A document, taken apart.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) document: Map<String, Value>,
    /// Secrets that were given.
    pub(super) given: BTreeMap<String, Secret>,
    /// Names of secrets that the document still refers to.
    pub(super) kept: Vec<String>,
}

/// Takes the secrets out of a document, and makes every other text plain.
pub(super) fn take_apart(
    now: &Configuration,
    section: Section,
    name: &str,
    document: &Map<String, Value>,
    before: Option<&Entry>,
) -> Result<Parts, Vec<Problem>> {
    let mut parts = Parts::default();
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
    let keys = secret_keys(now, section, kind);
    for (key, value) in document {
        let settings = value.as_object().filter(|_| key == "settings");
        let value = match settings {
            Some(settings) => parts.settings(section, name, settings, &keys, before),
            None => literal(value),
        };
        parts.document.insert(key.clone(), value);
    }
    if !parts.document.contains_key("settings") {
        let settings = parts.settings(section, name, &Map::new(), &keys, before);
        if settings.as_object().is_some_and(|settings| !settings.is_empty()) {
            parts.document.insert("settings".to_owned(), settings);
        }
    }
    let mut problems = paths(now, section, name, kind, &parts.document);
    problems.extend(given_again(now, section, name, &parts, before));
    if problems.is_empty() { Ok(parts) } else { Err(problems) }
}

impl Parts {
    fn settings(
        &mut self,
        section: Section,
        entry: &str,
        settings: &Map<String, Value>,
        secrets: &[String],
        before: Option<&Entry>,
    ) -> Value {
        let mut kept = Map::new();
        for key in secrets {
            let name = format!("{section}.{entry}.{key}");
            let reference = Value::from(format!("${{secret:{name}}}"));
            match settings.get(key) {
                Some(Value::String(secret)) => {
                    self.given.insert(name, Secret::new(secret.as_str()));
                    kept.insert(key.clone(), reference);
                }
                None => {
                    let had = before.and_then(|entry| entry.document.get("settings")?.get(key));
                    if had.is_some_and(is_secret) {
                        self.kept.push(name);
                        kept.insert(key.clone(), reference);
                    }
                }
                // Absent from now on.
                Some(Value::Null) => {}
                // Told by the kind's own check, which names the type that it takes.
                Some(other) => {
                    kept.insert(key.clone(), literal(other));
                }
            }
        }
        let others = settings.iter().filter(|(key, _)| !secrets.contains(key));
        kept.extend(others.map(|(key, value)| (key.clone(), literal(value))));
        kept.into()
    }
}

/// The settings of a kind that hold secrets.
pub(crate) fn secret_keys(now: &Configuration, section: Section, kind: &str) -> Vec<String> {
    match section {
        Section::Sources => {
            let Ok(form) = ebb_warehouse::form(kind) else { return Vec::new() };
            let secret = form.settings.iter().filter(|setting| setting.kind.is_secret());
            secret.map(|setting| setting.key.to_owned()).collect()
        }
        Section::Destinations => {
            let Ok(definition) = now.workspace.catalog.find(kind) else { return Vec::new() };
            definition.secret_settings().map(str::to_owned).collect()
        }
        Section::Channels => alerts::secrets(kind).map(str::to_owned).collect(),
        Section::Models | Section::Mappings | Section::AlertRules => Vec::new(),
    }
}

/// Files on the server's machine that a document names. What people make in the page may name files of
/// the project alone: every other file of the machine is none of their business.
fn paths(
    now: &Configuration,
    section: Section,
    name: &str,
    kind: &str,
    document: &Map<String, Value>,
) -> Vec<Problem> {
    let mut named: Vec<(String, &Value)> = Vec::new();
    match section {
        Section::Sources => {
            let settings = document.get("settings").and_then(Value::as_object);
            let form = ebb_warehouse::form(kind).ok();
            let paths = form
                .into_iter()
                .flat_map(|form| form.settings)
                .filter(|setting| setting.kind == SettingKind::Path);
            for setting in paths {
                if let Some(value) = settings.and_then(|settings| settings.get(setting.key)) {
                    named.push((format!("settings.{}", setting.key), value));
                }
            }
        }
        Section::Models => {
            if let Some(value) = document.get("sql") {
                named.push(("sql".to_owned(), value));
            }
            if let Some(value) = document.get("dbt").and_then(|dbt| dbt.get("project")) {
                named.push(("dbt.project".to_owned(), value));
            }
        }
        Section::Destinations | Section::Mappings | Section::Channels | Section::AlertRules => {}
    }
    let root = &now.workspace.project.root;
    let state = &now.workspace.project.state;
    let outside = |path: &str| {
        let path = Path::new(path);
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        !plain || root.join(path).starts_with(state)
    };
    let refused = named.into_iter().filter(|(_, value)| value.as_str().is_some_and(outside));
    refused
        .map(|(path, value)| {
            let shown = value.as_str().unwrap_or_default();
            let message = format!("`{shown}` is not a file of the project folder");
            let failure = Failure::new(Code::ConfigValue, message)
                .help("Name a file inside the project folder, by its path from there; other files can be named in project files alone");
            Problem::at(Place::file(format!("{section}.{name}.{path}")), failure)
        })
        .collect()
}

/// A value whose texts are meant as they are.
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => plain(text).into(),
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(entries) => {
            let entries: Map<String, Value> =
                entries.iter().map(|(key, value)| (key.clone(), literal(value))).collect();
            entries.into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The names of the secrets that a document refers to.
pub(super) fn secrets_of(document: &Value) -> Vec<String> {
    let settings = document.get("settings").and_then(Value::as_object);
    let references = settings.into_iter().flat_map(Map::values).filter_map(Value::as_str);
    references
        .filter_map(|text| Some(text.strip_prefix("${secret:")?.strip_suffix('}')?.to_owned()))
        .collect()
}
