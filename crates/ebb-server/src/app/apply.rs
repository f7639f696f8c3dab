//! A folder's configuration as a whole: what would change, and the change.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebb_core::{Code, Failure, config::Problem};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    App, Change, Configuration, Section, Touched, alone,
    apart::Parts,
    configuration::shown,
    edit::{Step, candidate, could_sync, mappings_kept},
};

/// What a folder says.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Documents by section and name.
    pub(crate) documents: BTreeMap<Section, BTreeMap<String, Map<String, Value>>>,
    /// Whether what people made and the folder does not have is removed.
    pub(crate) prune: bool,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Doing {
    /// It is new.
    Create,
    /// It is replaced.
    Update,
    /// It goes.
    Delete,
    /// It is as it should be.
    Keep,
}

/// What becomes of one entry.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) section: Section,
    pub(crate) name: String,
    pub(crate) doing: Doing,
    /// How it is, without its secrets.
    pub(crate) before: Option<Value>,
    /// How it will be, without its secrets.
    pub(crate) after: Option<Value>,
    /// The settings whose secrets are new or others than before.
    pub(crate) secrets: Vec<String>,
}

/// A folder as it would be applied.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Names the state of the configuration that this is true of.
    pub(crate) state: String,
    /// What becomes of each entry.
    pub(crate) steps: Vec<Planned>,
    /// What that means for records that were sent.
    pub(crate) effects: Vec<Touched>,
}

impl App {
    /// What would change if a folder were applied.
    pub(crate) async fn plan_of(&self, wanted: &Wanted) -> Result<Plan, Vec<Problem>> {
        let now = self.configuration();
        let (steps, changes) = work_out(&now, wanted)?;
        let next = candidate(&now, &changes)?;
        could_sync(&next.workspace, mappings_kept(&changes))?;
        let effects = self.effects(&now, &next).await.map_err(alone)?;
        Ok(Plan { state: state(&now), steps, effects })
    }

    /// Applies a folder, whole or not at all. `A607` if the configuration is no longer in the state that was
    /// planned for.
    pub(crate) async fn apply(
        &self,
        actor: &str,
        wanted: &Wanted,
        planned_for: &str,
    ) -> Result<Plan, Vec<Problem>> {
        let _one_after_the_other = self.editing.lock().await;
        let now = self.configuration();
        if state(&now) != planned_for {
            let message = "the server's configuration was changed since the plan was made";
            return Err(alone(
                Failure::new(Code::EditConflict, message).help("Make the plan again"),
            ));
        }
        let (steps, changes) = work_out(&now, wanted)?;
        if !changes.is_empty() {
            self.make(actor, &now, changes).await?;
        }
        let next = self.configuration();
        let effects = self.effects(&now, &next).await.map_err(alone)?;
        Ok(Plan { state: state(&next), steps, effects })
    }

    /// What another configuration means for records that mappings sent by this one.
    async fn effects(
        &self,
        now: &Configuration,
        next: &Configuration,
    ) -> Result<Vec<Touched>, Failure> {
        let mut effects = Vec::new();
        for name in next.workspace.project.mappings.keys() {
            if now.workspace.project.mappings.contains_key(name) {
                effects.extend(self.touch(&now.workspace, &next.workspace, name).await?);
            }
        }
        Ok(effects)
    }
}

fn work_out(
    now: &Configuration,
    wanted: &Wanted,
) -> Result<(Vec<Planned>, Vec<Step>), Vec<Problem>> {
    let mut problems = Vec::new();
    let mut planned = Vec::new();
    let mut steps = Vec::new();
    let mut named = BTreeSet::new();
    for (section, documents) in &wanted.documents {
        for (name, document) in documents {
            named.insert((section.as_str(), name.as_str()));
            let before = now.made(*section, name);
            let change = Change {
                section: *section,
                name: name.clone(),
                document: Some(document.clone()),
                expected: before.map(|entry| entry.version),
            };
            let step = match Step::new(now, &change) {
                Ok(step) => step,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            let (after, secrets) = step.parts.as_ref().map_or_else(Default::default, |parts| {
                (Some(shown(&parts.document.clone().into())), changed_secrets(now, parts))
            });
            let same = secrets.is_empty()
                && before.map(|entry| &entry.document)
                    == step
                        .parts
                        .as_ref()
                        .map(|parts| Value::from(parts.document.clone()))
                        .as_ref();
            let doing = match before {
                None => Doing::Create,
                Some(_) if same => Doing::Keep,
                Some(_) => Doing::Update,
            };
            let before = before.map(|entry| shown(&entry.document));
            planned.push(Planned {
                section: *section,
                name: name.clone(),
                doing,
                before,
                after,
                secrets,
            });
            if doing != Doing::Keep {
                steps.push(step);
            }
        }
    }
    let made = now.made.values().filter(|_| wanted.prune);
    for entry in made.filter(|entry| !named.contains(&(&*entry.section, &*entry.name))) {
        let Some(section) = Section::named(&entry.section) else { continue };
        let name = entry.name.clone();
        let expected = Some(entry.version);
        match Step::new(now, &Change { section, name: name.clone(), document: None, expected }) {
            Ok(step) => steps.push(step),
            Err(found) => problems.extend(found),
        }
        planned.push(Planned {
            section,
            name,
            doing: Doing::Delete,
            before: Some(shown(&entry.document)),
            after: None,
            secrets: Vec::new(),
        });
    }
    if problems.is_empty() { Ok((planned, steps)) } else { Err(problems) }
}

/// The settings whose secrets are not those that the server has.
fn changed_secrets(now: &Configuration, parts: &Parts) -> Vec<String> {
    let changed =
        parts.given.iter().filter(|(name, secret)| now.secrets.get(*name) != Some(secret));
    changed.map(|(name, _)| name.rsplit('.').next().unwrap_or(name).to_owned()).collect()
}

/// Names one state of what was made: another one has another name.
fn state(now: &Configuration) -> String {
    let mut digest = Sha256::new();
    for entry in now.made.values() {
        digest.update(format!("{}/{}@{};", entry.section, entry.name, entry.version));
    }
    BASE64_URL_SAFE_NO_PAD.encode(digest.finalize())
}
