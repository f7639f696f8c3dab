//! Changes of the configuration: checked as a whole, kept with their secrets closed, and told to the
//! timetable.

use std::sync::Arc;

use ebb_core::{
    Code, Failure,
    config::{AlertRule, Place, Problem},
    port::Clock,
};
use ebb_store::{AuditLine, Edit, Entry, Sealed};
use ebb_workspace::{SystemClock, Workspace};
use serde_json::{Map, Value};

use super::{
    App, Configuration, Section, alone,
    apart::{Parts, secrets_of, take_apart},
    configuration::{Made, shown},
    entry, new_id,
    operations::without_secrets,
};
use crate::alerts;

/// A change of one entry: a source, a model, and so on.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) section: Section,
    pub(crate) name: String,
    /// What a project file would say, but that every text is meant as it is: nothing refers to the
    /// environment or to files. A secret that is left out stays, but must be given again where another
    /// setting would lead it elsewhere; `null` removes it. `None` removes the whole entry.
    pub(crate) document: Option<Map<String, Value>>,
    /// The version that is changed; `None` for what must not be there yet.
    pub(crate) expected: Option<i64>,
}

/// A change, worked out.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) section: Section,
    pub(super) name: String,
    expected: Option<i64>,
    /// What it will be; `None` if it goes.
    pub(super) parts: Option<Parts>,
    /// Secrets that nothing needs then.
    forgotten: Vec<String>,
}

impl App {
    /// Makes a change if everything is right with it, and gives the new version. `actor` is told in the
    /// audit log.
    pub(crate) async fn change(&self, actor: &str, change: Change) -> Result<i64, Vec<Problem>> {
        let _one_after_the_other = self.editing.lock().await;
        let now = self.configuration();
        let step = Step::new(&now, &change)?;
        if step.parts.is_none() {
            not_needed(&now.workspace, change.section, &change.name).map_err(alone)?;
        }
        let versions = self.make(actor, &now, vec![step]).await?;
        Ok(versions.first().copied().unwrap_or_default())
    }

    /// Makes all of these steps, or none, and gives the new versions. Whoever calls this holds `editing`.
    pub(super) async fn make(
        &self,
        actor: &str,
        now: &Configuration,
        steps: Vec<Step>,
    ) -> Result<Vec<i64>, Vec<Problem>> {
        let mut next = candidate(now, &steps)?;
        could_sync(&next.workspace, mappings_kept(&steps))?;
        let edits: Result<Vec<_>, Vec<Problem>> =
            steps.iter().map(|step| self.edit_of(actor, now, step)).collect();
        let versions = self.store.edit(edits?).await.map_err(alone)?;
        for (step, version) in steps.into_iter().zip(&versions) {
            let key = (step.section.as_str().to_owned(), step.name);
            if let Some(entry) = next.made.get_mut(&key) {
                entry.version = *version;
            }
        }
        self.current.replace(next);
        self.reschedule().map_err(alone)?;
        self.alerts.look();
        Ok(versions)
    }

    fn edit_of(
        &self,
        actor: &str,
        now: &Configuration,
        step: &Step,
    ) -> Result<(Edit, AuditLine), Vec<Problem>> {
        let Step { section, name, expected, parts, forgotten } = step;
        let given = parts.iter().flat_map(|parts| &parts.given);
        let secrets: Result<Vec<Sealed>, _> =
            given.map(|(name, secret)| self.vault.seal(name, secret.expose())).collect();
        let edit = Edit {
            section: section.as_str().to_owned(),
            name: name.clone(),
            document: parts.as_ref().map(|parts| Value::from(parts.document.clone())),
            expected: *expected,
            secrets: secrets.map_err(alone)?,
            forgotten: forgotten.clone(),
        };
        let before = now.made(*section, name);
        Ok((edit, audit_line(actor, *section, name, before, parts.as_ref())))
    }

    /// The configuration as a change would make it, if everything is right with it. Nothing is kept.
    pub(super) fn tried(
        now: &Configuration,
        change: &Change,
    ) -> Result<Configuration, Vec<Problem>> {
        candidate(now, &[Step::new(now, change)?])
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

impl Step {
    /// Works a change out. `A608` for what comes from files; `A609` if it is not there to be removed.
    pub(super) fn new(now: &Configuration, change: &Change) -> Result<Self, Vec<Problem>> {
        let Change { section, ref name, ref document, expected } = *change;
        if now.in_files(section, name) {
            let message = format!("the {} `{name}` comes from files", section.noun());
            return Err(alone(Failure::new(Code::FromFiles, message)));
        }
        let before = now.made(section, name);
        let parts = if let Some(document) = document {
            Some(take_apart(now, section, name, document, before)?)
        } else {
            now.find(section, name).map_err(alone)?;
            None
        };
        let needed = |name: &String| {
            parts
                .as_ref()
                .is_some_and(|parts| parts.kept.contains(name) || parts.given.contains_key(name))
        };
        let had = before.map(|entry| secrets_of(&entry.document)).unwrap_or_default();
        let forgotten = had.into_iter().filter(|name| !needed(name)).collect();
        Ok(Self { section, name: name.clone(), expected, parts, forgotten })
    }
}

/// The configuration as these steps make it, if everything is right with it.
pub(super) fn candidate(
    now: &Configuration,
    steps: &[Step],
) -> Result<Configuration, Vec<Problem>> {
    let mut made: Made = now.made.clone();
    let mut secrets = now.secrets.clone();
    for Step { section, name, parts, forgotten, .. } in steps {
        for name in forgotten {
            secrets.remove(name);
        }
        let key = (section.as_str().to_owned(), name.clone());
        if let Some(parts) = parts {
            let (section, name) = key.clone();
            let document = Value::from(parts.document.clone());
            made.insert(key, Entry { section, name, version: 0, document });
            secrets.extend(parts.given.clone());
        } else {
            made.remove(&key);
        }
    }
    let next = Configuration::new(Arc::clone(&now.files), made, secrets)?;
    let kept = steps.iter().filter(|step| step.parts.is_some());
    let problems: Vec<Problem> =
        kept.filter_map(|step| usable(&next.workspace, step.section, &step.name).err()).collect();
    if problems.is_empty() { Ok(next) } else { Err(problems) }
}

/// Whether these mappings could sync, as far as that is known without the columns of their models: `M301`,
/// `M305`. One that is switched off may wait to be mended.
pub(super) fn could_sync<'a>(
    workspace: &Workspace,
    mappings: impl IntoIterator<Item = &'a str>,
) -> Result<(), Vec<Problem>> {
    let redactor = workspace.redactor();
    let mut problems = Vec::new();
    for name in mappings {
        if workspace.mapping(name).map_err(alone)?.enabled {
            let place = || Place::file(format!("{}.{name}.fields", Section::Mappings));
            let failures = workspace.check_mapping(name).map_err(alone)?.into_iter();
            problems.extend(
                failures.map(|failure| Problem::at(place(), without_secrets(&redactor, failure))),
            );
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The mappings that these steps keep.
pub(super) fn mappings_kept(steps: &[Step]) -> impl Iterator<Item = &str> {
    let kept =
        steps.iter().filter(|step| step.section == Section::Mappings && step.parts.is_some());
    kept.map(|step| step.name.as_str())
}

/// Whether the kind takes these settings. Connects to nothing.
fn usable(workspace: &Workspace, section: Section, name: &str) -> Result<(), Problem> {
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
        Problem::at(place, without_secrets(&redactor, failure))
    })
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
