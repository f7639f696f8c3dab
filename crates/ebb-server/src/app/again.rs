//! Secrets that have to be given again. Who edits something may not know its secrets: one that is kept would
//! be told to whoever answers at another address.

use std::collections::BTreeSet;

use ebb_core::{
    Code, Failure,
    config::{Place, Problem},
};
use ebb_store::Entry;
use serde_json::{Map, Value};

use super::{Configuration, Section, apart::Parts, configuration::is_secret};
use crate::alerts;

/// What is wrong with keeping the secrets that an edit leaves out: each of them, if a setting changes that has
/// a say in where they are sent.
pub(super) fn given_again(
    now: &Configuration,
    section: Section,
    name: &str,
    parts: &Parts,
    before: Option<&Entry>,
) -> Vec<Problem> {
    let Some(changed) = before.and_then(|entry| other_way(now, section, parts, entry)) else {
        return Vec::new();
    };
    let problem = |secret: &String| {
        let key = secret.rsplit('.').next().unwrap_or(secret);
        let message = format!("`{key}` must be given again, because `{changed}` is another");
        let failure = Failure::new(Code::ConfigValue, message)
            .help("Give it once more: a secret that is kept goes nowhere but where it went before");
        Problem::at(Place::file(format!("{section}.{name}.settings.{key}")), failure)
    };
    parts.kept.iter().map(problem).collect()
}

/// The first setting that leads secrets another way than before.
fn other_way(
    now: &Configuration,
    section: Section,
    parts: &Parts,
    before: &Entry,
) -> Option<String> {
    let kind = parts.document.get("kind");
    if kind != before.document.get("kind") {
        return Some("kind".to_owned());
    }
    let kind = kind.and_then(Value::as_str).unwrap_or_default();
    let (was, is) = (settings(&before.document), parts.document.get("settings"));
    let is = is.and_then(Value::as_object);
    let keys: BTreeSet<&String> = was.into_iter().chain(is).flat_map(Map::keys).collect();
    let differs = |key: &str| {
        let (was, is) = (was.and_then(|was| was.get(key)), is.and_then(|is| is.get(key)));
        is.map(text) != was.map(text) || is.is_some_and(is_secret) && is_new(now, parts, key)
    };
    let mut others = keys.into_iter().filter(|key| leads(now, section, kind, key) && differs(key));
    others.next().cloned()
}

fn settings(document: &Value) -> Option<&Map<String, Value>> {
    document.get("settings").and_then(Value::as_object)
}

/// A value as it is typed: a form sends `5432`, where a file may say `"5432"`.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a secret is given that the server does not have.
fn is_new(now: &Configuration, parts: &Parts, key: &str) -> bool {
    let given = parts.given.iter().find(|(name, _)| name.rsplit('.').next() == Some(key));
    given.is_some_and(|(name, secret)| now.secrets.get(name) != Some(secret))
}

/// Whether a setting has a say in where secrets are sent. One that nobody knows may have.
fn leads(now: &Configuration, section: Section, kind: &str, key: &str) -> bool {
    match section {
        Section::Sources => {
            let form = ebb_warehouse::form(kind).ok();
            form.and_then(|form| form.setting(key)).is_none_or(|setting| setting.leads)
        }
        Section::Destinations => {
            let definition = now.workspace.catalog.find(kind).ok();
            let setting = definition.as_ref().and_then(|found| found.manifest.settings.get(key));
            setting.is_none_or(ebb_destination::Setting::leads)
        }
        Section::Channels => {
            let setting = alerts::settings_of(kind).iter().find(|setting| setting.key == key);
            setting.is_none_or(|setting| setting.leads)
        }
        Section::Models | Section::Mappings | Section::AlertRules => false,
    }
}
