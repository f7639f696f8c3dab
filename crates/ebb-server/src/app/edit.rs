//! Changes of the configuration: checked as a whole, kept with their secrets closed, and told to the
//! timetable.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
    sync::Arc,
};

use ebb_core::{
    Code, Failure, Secret,
    config::{AlertRule, Place, Problem, plain},
    port::Clock,
};
use ebb_store::{AuditLine, Edit, Entry, Sealed};
use ebb_warehouse::SettingKind;
use ebb_workspace::{SystemClock, Workspace};
use serde_json::{Map, Value};

use super::{
    App, Configuration, Section, alone,
    configuration::{Made, is_secret, shown},
    entry, new_id,
};
use crate::alerts;

/// A change of one entry: a source, a model, and so on.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) section: Section,
    pub(crate) name: String,
    /// What a project file would say, but that every text is meant as it is: nothing refers to the
    /// environment or to files. A secret that is left out stays, `null` removes it. `None` removes the
    /// whole entry.
    pub(crate) document: Option<Map<String, Value>>,
    /// The version that is changed; `None` for what must not be there yet.
    pub(crate) expected: Option<i64>,
}

/// A document, taken apart.
#[derive(Debug, Default)]
struct Parts {
    document: Map<String, Value>,
    /// Secrets that were given.
    given: BTreeMap<String, Secret>,
    /// Names of secrets that the document still refers to.
    kept: Vec<String>,
}

impl App {
    /// Makes a change if everything is right with it, and gives the new version. `actor` is told in the
    /// audit log.
    pub(crate) async fn change(&self, actor: &str, change: Change) -> Result<i64, Vec<Problem>> {
        let _one_after_the_other = self.editing.lock().await;
        let now = self.configuration();
        let Change { section, ref name, expected, .. } = change;
        if now.in_files(section, name) {
            let message = format!("the {} `{name}` comes from files", section.noun());
            return Err(alone(Failure::new(Code::FromFiles, message)));
        }
        let before = now.made(section, name);
        let parts = if let Some(document) = &change.document {
            Some(take_apart(&now, section, name, document, before)?)
        } else {
            now.find(section, name).map_err(alone)?;
            not_needed(&now.workspace, section, name).map_err(alone)?;
            None
        };
        let had = before.map(|entry| secrets_of(&entry.document)).unwrap_or_default();
        let forgotten: Vec<String> = had
            .into_iter()
            .filter(|name| {
                parts.as_ref().is_none_or(|parts| {
                    !parts.kept.contains(name) && !parts.given.contains_key(name)
                })
            })
            .collect();
        let mut next = candidate(&now, section, name, parts.as_ref(), &forgotten)?;
        let edit = Edit {
            section: section.as_str().to_owned(),
            name: name.clone(),
            document: parts.as_ref().map(|parts| Value::from(parts.document.clone())),
            expected,
            secrets: sealed(self, parts.as_ref())?,
            forgotten,
        };
        let line = audit_line(actor, section, name, before, parts.as_ref());
        let version = self.store.edit(edit, line).await.map_err(alone)?;
        let key = (section.as_str().to_owned(), name.clone());
        if let Some(entry) = next.made.get_mut(&key) {
            entry.version = version;
        }
        self.current.replace(next);
        self.reschedule().map_err(alone)?;
        self.alerts.look();
        Ok(version)
    }

    /// The configuration as a change would make it, if everything is right with it. Nothing is kept.
    pub(super) fn tried(
        now: &Configuration,
        change: &Change,
    ) -> Result<Configuration, Vec<Problem>> {
        let Change { section, ref name, ref document, .. } = *change;
        let before = now.made(section, name);
        let parts = document
            .as_ref()
            .map(|document| take_apart(now, section, name, document, before))
            .transpose()?;
        candidate(now, section, name, parts.as_ref(), &[])
    }

    /// Brings the timetable up to date with the configuration. A schedule that is new holds from now on.
    fn reschedule(&self) -> Result<(), Failure> {
        let configuration = self.configuration();
        let workspace = &configuration.workspace;
        let now = SystemClock.now();
        let names = workspace.project.mappings.keys();
        let entries: Vec<_> =
            names.map(|name| Ok((name, entry(workspace, name, now)?))).collect::<Result<_, _>>()?;
        self.scheduler.with(|table| {
            for (name, source) in &workspace.project.sources {
                table.set_places(name, source.max_concurrent_syncs);
            }
            table.retain(|name| workspace.project.mappings.contains_key(name));
            for (name, entry) in entries {
                table.update(name, entry);
            }
        });
        Ok(())
    }
}

/// The configuration with an entry of these parts, or without it, if everything is right with it.
fn candidate(
    now: &Configuration,
    section: Section,
    name: &str,
    parts: Option<&Parts>,
    forgotten: &[String],
) -> Result<Configuration, Vec<Problem>> {
    let mut made: Made = now.made.clone();
    let mut secrets = now.secrets.clone();
    let key = (section.as_str().to_owned(), name.to_owned());
    for name in forgotten {
        secrets.remove(name);
    }
    if let Some(parts) = parts {
        let (section, name) = key.clone();
        let document = Value::from(parts.document.clone());
        made.insert(key, Entry { section, name, version: 0, document });
        secrets.extend(parts.given.clone());
    } else {
        made.remove(&key);
    }
    let next = Configuration::new(Arc::clone(&now.files), made, secrets)?;
    if parts.is_some() {
        usable(&next.workspace, section, name)?;
    }
    Ok(next)
}

/// Whether the kind takes these settings. Connects to nothing.
fn usable(workspace: &Workspace, section: Section, name: &str) -> Result<(), Vec<Problem>> {
    let tried = match section {
        Section::Sources => workspace.warehouse(name).map(drop),
        Section::Destinations => workspace.connector(name).map(drop),
        Section::Mappings => workspace.action_exists(name),
        Section::Channels => {
            workspace.project.channels.get(name).map_or(Ok(()), alerts::check_channel)
        }
        Section::Models | Section::AlertRules => Ok(()),
    };
    let redactor = workspace.redactor();
    tried.map_err(|failure| {
        let part = if section == Section::Mappings { "action" } else { "settings" };
        let place = Place::file(format!("{section}.{name}.{part}"));
        vec![Problem::at(place, failure.map_message(|text| redactor.redact(&text)))]
    })
}

fn sealed(app: &App, parts: Option<&Parts>) -> Result<Vec<Sealed>, Vec<Problem>> {
    let given = parts.into_iter().flat_map(|parts| &parts.given);
    given.map(|(name, secret)| app.vault.seal(name, secret.expose()).map_err(alone)).collect()
}

/// `A611` if something refers to it.
fn not_needed(workspace: &Workspace, section: Section, name: &str) -> Result<(), Failure> {
    let project = &workspace.project;
    let mapping = |(user, _): (&String, _)| format!("the mapping `{user}`");
    let rule = |(user, _): (&String, _)| format!("the alert rule `{user}`");
    let users: Vec<String> = match section {
        Section::Sources => {
            let models = project.models.iter().filter(|(_, model)| model.source == name);
            models.map(|(user, _)| format!("the model `{user}`")).collect()
        }
        Section::Models => {
            project.mappings.iter().filter(|(_, user)| user.model == name).map(mapping).collect()
        }
        Section::Destinations => {
            let users = project.mappings.iter().filter(|(_, user)| user.destination == name);
            users.map(mapping).collect()
        }
        Section::Mappings => {
            let users =
                project.mappings.iter().filter(|(_, user)| user.schedule.after() == Some(name));
            let names =
                |rule: &AlertRule| rule.mappings.as_ref().is_some_and(|names| names.contains(name));
            let rules = project.alert_rules.iter().filter(|(_, user)| names(user));
            users.map(mapping).chain(rules.map(rule)).collect()
        }
        Section::Channels => {
            let users = project.alert_rules.iter().filter(|(_, user)| user.to.contains(name));
            users.map(rule).collect()
        }
        Section::AlertRules => Vec::new(),
    };
    if users.is_empty() {
        return Ok(());
    }
    let message = format!("the {} `{name}` is needed by {}", section.noun(), users.join(", "));
    Err(Failure::new(Code::InUse, message))
}

/// Takes the secrets out of a document, and makes every other text plain.
fn take_apart(
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
    let problems = paths(now, section, name, kind, &parts.document);
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
                    kept.insert(key.clone(), other.clone());
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
fn secrets_of(document: &Value) -> Vec<String> {
    let settings = document.get("settings").and_then(Value::as_object);
    let references = settings.into_iter().flat_map(Map::values).filter_map(Value::as_str);
    references
        .filter_map(|text| Some(text.strip_prefix("${secret:")?.strip_suffix('}')?.to_owned()))
        .collect()
}

fn audit_line(
    actor: &str,
    section: Section,
    name: &str,
    before: Option<&Entry>,
    parts: Option<&Parts>,
) -> AuditLine {
    let done = match (before, parts) {
        (None, _) => "created",
        (Some(_), Some(_)) => "updated",
        (Some(_), None) => "deleted",
    };
    let after = parts.map(|parts| {
        let mut after = shown(&parts.document.clone().into());
        for secret in parts.given.keys() {
            let key = secret.rsplit('.').next().unwrap_or_default();
            if let Some(settings) = after.get_mut("settings").and_then(Value::as_object_mut) {
                settings.insert(key.to_owned(), "changed".into());
            }
        }
        after
    });
    AuditLine {
        id: new_id(),
        at: SystemClock.now(),
        actor: actor.to_owned(),
        action: format!("{}.{done}", section.noun()),
        subject: name.to_owned(),
        before: before.map(|entry| shown(&entry.document)),
        after,
    }
}
