//! The manifest of a destination: everything that describes it, as data.
//!
//! `docs/adding-a-destination.md` shows one; the types here are its reference.

mod action;
mod answers;
mod auth;
mod category;
mod check;
mod indexed;
mod setting;

use ebb_core::suggest;
use ebb_mapping::Fields;
use serde::{Deserialize, Serialize};

pub(crate) use action::Digest;
pub use action::{ActionManifest, Delivery, Encoding, Rule, SyncModes};
pub(crate) use answers::BodyAnswer;
pub use answers::{Class, Rows};
pub(crate) use auth::{Auth, Grant, OAuth2, Probe};
pub use category::Category;
pub(crate) use check::check;
pub use indexed::Indexed;
pub use setting::{Setting, SettingKind};

/// A destination's definition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The kind's name, as `kind:` has it.
    pub slug: String,
    /// The name of the same destination in the reference's catalog.
    #[serde(default)]
    pub reference: Option<String>,
    /// What people call it.
    pub name: String,
    /// What it is, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What it is for, the most important first. A project's own destination may leave it out.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// The vendor's documentation.
    pub docs: String,
    /// What a connection needs.
    #[serde(default)]
    pub settings: Indexed<Setting>,
    /// How requests prove who sends them.
    #[serde(default)]
    pub(crate) auth: Auth,
    /// A request that shows whether the credentials work.
    #[serde(default)]
    pub(crate) probe: Option<Probe>,
    /// How fast the service may be called.
    #[serde(default)]
    pub limits: Limits,
    /// What an answer's status means, where it differs from the default table.
    #[serde(default)]
    pub errors: Indexed<Class>,
    /// What an answer's body means, whatever its status; the first that fits decides.
    #[serde(default)]
    pub(crate) answers: Vec<BodyAnswer>,
    /// Fields that several actions share, by the `shared` of each.
    #[serde(default)]
    fields: Fields,
    /// What the destination can do.
    pub actions: Indexed<ActionManifest>,
}

impl Manifest {
    /// Gives each action the fields that it shares with others, before its own. The error is one
    /// sentence.
    pub(crate) fn share_fields(&mut self) -> Result<(), String> {
        for (key, action) in self.actions.iter_mut() {
            if action.shared.is_empty() {
                continue;
            }
            let mut fields = Vec::new();
            for name in &action.shared {
                let field = self.fields.get(name).ok_or_else(|| {
                    let known = suggest::allowed(name, self.fields.keys());
                    format!("`actions.{key}.shared`: `{name}` is not among `fields`. {known}")
                })?;
                fields.push((name.clone(), field.clone()));
            }
            let own = action.fields.iter().map(|(name, field)| (name.to_owned(), field.clone()));
            fields.extend(own);
            action.fields = fields.into_iter().collect();
        }
        Ok(())
    }
}

/// How fast a service may be called.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most requests a second; without it the service's answers decide.
    #[serde(default)]
    pub requests_per_second: Option<f64>,
    /// Most requests at once.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
}

const fn default_concurrency() -> usize {
    8
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_second: None, concurrency: default_concurrency() }
    }
}
