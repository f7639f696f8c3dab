//! What a project says: sources, models, destinations, mappings, and what is told of them.
//!
//! The binary reads it from YAML; the engine is given these values alone, as they were when the
//! sync began.

mod alert;
mod assemble;
mod consent;
pub mod dbt;
mod duration;
mod form;
mod node;
mod places;
mod problem;
mod range;
mod reference;
mod settings;
mod shape;
mod sign_in;
mod surroundings;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{Limits, Schedule, Secret, Subscription, port::ModelQuery, usage::UsagePlan};

pub use alert::{AlertRule, Channel, ChannelKind, Trouble};
pub use assemble::{assemble, assemble_part, assemble_without_secrets};
pub use consent::Demand;
pub use form::schema;
pub use node::{Entry, Kind, Node};
pub use places::Places;
pub use problem::{Place, Problem};
pub use reference::{Text, plain, resolve};
pub use settings::Settings;
pub use sign_in::{Oidc, RoleClaim, SignIn};
pub use surroundings::{Surroundings, Unreadable};

/// A project, read and checked: every name refers to something.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// The folder that relative paths start from.
    pub root: PathBuf,
    /// Where the control database and staging lie.
    pub state: PathBuf,
    /// Warehouse connections by name.
    pub sources: BTreeMap<String, Source>,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
    /// Destinations by name.
    pub destinations: BTreeMap<String, Destination>,
    /// Mappings by name.
    pub mappings: BTreeMap<String, Mapping>,
    /// Ways to people by name.
    pub channels: BTreeMap<String, Channel>,
    /// What is told, by name.
    pub alert_rules: BTreeMap<String, AlertRule>,
    /// Where people reach the server's page, for links in what is sent to them.
    pub url: Option<String>,
    /// How people sign in to a server.
    pub sign_in: SignIn,
    /// The limits that hold.
    pub limits: Limits,
    /// dbt Cloud, if its jobs may start syncs.
    pub dbt_cloud: Option<DbtCloud>,
    /// The plan of usage; its limit is among the limits.
    pub usage: UsagePlan,
    /// Addresses inside the operator's network that a server's destinations may be at.
    pub allowed_addresses: Vec<IpNet>,
    /// What `${env:…}`, `${file:…}` and `${secret:…}` stood for anywhere in the files, for a [`crate::Redactor`].
    pub secrets: Vec<Secret>,
    /// Where everything stands, for what is found wrong later.
    pub places: Places,
}

/// What dbt Cloud is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbtCloud {
    /// The key by which its webhook signs what it sends.
    pub webhook_secret: Secret,
}

/// A warehouse connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Source {
    /// The warehouse's kind, such as `postgres`.
    pub kind: String,
    /// The kind's own settings, secrets resolved.
    #[serde(skip)]
    pub settings: Settings,
    /// The managed schema.
    pub schema: String,
    /// Syncs of its models that a server runs side by side, 1 or more.
    pub max_concurrent_syncs: usize,
    /// By category of consent the column that tells whether a record has it.
    #[serde(default)]
    pub consent: BTreeMap<String, String>,
}

/// The managed schema, unless the source names another.
pub const MANAGED_SCHEMA: &str = "__segment_reverse_etl";

/// One SQL query over a source, with the column that identifies its records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Model {
    /// The source's name.
    pub source: String,
    /// The SQL text.
    pub query: String,
    /// The identifier column.
    pub id: String,
    /// The timestamp column of an incremental model.
    pub timestamp: Option<String>,
    /// How far before its checkpoint an incremental model is read again, for rows that arrive late.
    #[serde(default)]
    pub lookback: Duration,
    /// The dbt model that the query reads, if it was given as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dbt: Option<DbtSource>,
    /// When those of its mappings are due that do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

impl Model {
    /// What the warehouse is asked.
    pub fn query(&self) -> ModelQuery {
        ModelQuery {
            sql: self.query.clone(),
            id: self.id.clone(),
            timestamp: self.timestamp.clone(),
            lookback: self.lookback,
        }
    }
}

/// A model of a dbt project, as a project names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbtSource {
    /// The manifest's path, from the project folder.
    pub manifest: String,
    /// The model, as [`dbt::Manifest::model`] takes it.
    pub model: String,
}

/// A configured connection to a tool.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Destination {
    /// The definition's kind, such as `webhook`.
    pub kind: String,
    /// The definition's settings, secrets resolved.
    #[serde(skip)]
    pub settings: Settings,
    /// Whether anything is sent to it.
    pub enabled: bool,
    /// Categories of consent, all of which a record must have to be sent to it.
    #[serde(default)]
    pub consent: Vec<String>,
}

/// Model to action.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mapping {
    /// The model's name.
    pub model: String,
    /// The destination's name.
    pub destination: String,
    /// The action's key.
    pub action: String,
    /// Which changes are sent.
    pub records: Subscription,
    /// Directives by field; an absent field takes the action's default.
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// When it is due.
    pub schedule: Schedule,
    /// Whether it is due when its model says, and says nothing itself.
    #[serde(skip)]
    pub inherits_schedule: bool,
    /// Whether it syncs at all.
    pub enabled: bool,
    /// `false` sends every record alone, even where the action takes batches.
    pub enable_batching: bool,
    /// Whether a delete carries the values that were delivered last.
    pub keep_deleted_values: bool,
    /// When a sync is held for approval.
    pub guards: Guards,
}

/// What holds a sync until somebody approves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guards {
    /// The share of the tracked records that one sync may delete, 0 to 1.
    pub max_deleted: f64,
}

impl Guards {
    /// Fewer tracked records than this are not guarded against deletes.
    pub const SMALLEST: u64 = 100;
}

impl Default for Guards {
    fn default() -> Self {
        Self { max_deleted: 0.5 }
    }
}
