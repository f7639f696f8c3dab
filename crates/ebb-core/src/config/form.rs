//! The keys of a project's files. From these types come the JSON Schema, the checks and the help.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{duration::Length, range::Range, sign_in::SignInForm};
use crate::{
    Limits, Schedule, Secret, Subscription,
    config::{ChannelKind, Guards, Trouble},
    usage::UsagePlan,
};

/// Ebb's configuration: `ebb.yaml` and the files beside it
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Ebb project")]
#[expect(dead_code, reason = "sections are read entry by entry; this type is their schema")]
pub(super) struct ProjectForm {
    /// The project's name
    #[schemars(length(min = 1))]
    project: Option<String>,
    /// The folder of the control database and of staged parts; `.ebb` if absent
    #[schemars(length(min = 1))]
    state: Option<String>,
    /// What holds a sync of a mapping that does not say it itself
    guards: Option<GuardsForm>,
    /// Limits that differ from the product's
    limits: Option<LimitsForm>,
    /// How many records may be processed in a month
    usage: Option<UsageForm>,
    /// dbt Cloud, whose jobs may start syncs
    dbt_cloud: Option<DbtCloudForm>,
    /// What a server's destinations may reach
    network: Option<NetworkForm>,
    /// Warehouse connections by name
    #[schemars(extend("propertyNames" = names()))]
    sources: Option<BTreeMap<String, SourceForm>>,
    /// SQL queries by name
    #[schemars(extend("propertyNames" = names()))]
    models: Option<BTreeMap<String, ModelForm>>,
    /// Connections to tools by name
    #[schemars(extend("propertyNames" = names()))]
    destinations: Option<BTreeMap<String, DestinationForm>>,
    /// Which model goes to which destination, by name
    #[schemars(extend("propertyNames" = names()))]
    mappings: Option<BTreeMap<String, MappingForm>>,
    /// Ways to people outside the page, by name
    #[schemars(extend("propertyNames" = names()))]
    channels: Option<BTreeMap<String, ChannelForm>>,
    /// What people are told of without looking, by name
    #[schemars(extend("propertyNames" = names()))]
    alert_rules: Option<BTreeMap<String, AlertRuleForm>>,
    /// How people sign in to a server
    sign_in: Option<SignInForm>,
    /// Where people reach the server's page, such as `https://ebb.example.com`: for links in alerts, and for the
    /// way back from an identity provider
    #[schemars(length(min = 1))]
    url: Option<String>,
}

/// dbt Cloud, whose jobs may start syncs
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DbtCloudForm {
    /// The secret key of the webhook, as dbt Cloud shows it
    #[serde(deserialize_with = "secret")]
    #[schemars(with = "String", length(min = 1))]
    pub(super) webhook_secret: Secret,
}

fn secret<'de, D: Deserializer<'de>>(text: D) -> Result<Secret, D::Error> {
    String::deserialize(text).map(Secret::new)
}

/// What a server's destinations may reach
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkForm {
    /// Addresses that are not of the Internet and may be asked all the same, such as `10.0.0.0/8`
    pub(super) allow: Vec<Range>,
}

/// A warehouse connection
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceForm {
    /// The warehouse's kind, such as `sqlite`, `postgres` or `duckdb`
    #[schemars(length(min = 1))]
    pub(super) kind: String,
    /// Settings of the kind
    pub(super) settings: Option<Map<String, Value>>,
    /// Syncs of this source that a server runs side by side; 2 if absent
    #[schemars(range(min = 1))]
    pub(super) max_concurrent_syncs: Option<usize>,
    /// The managed schema, in which Ebb tracks what was sent; `__segment_reverse_etl` if absent
    #[schemars(length(min = 1))]
    pub(super) schema: Option<String>,
    /// By category of consent, such as `advertising`, the column that tells whether a record has it
    pub(super) consent: Option<BTreeMap<String, ConsentColumn>>,
}

/// The name of a boolean column
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct ConsentColumn(#[schemars(length(min = 1))] pub(super) String);

/// What is read of a source: a query (`sql` or `query`), a `table`, or a `dbt` model
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelForm {
    /// The name of the source
    pub(super) source: String,
    /// A file with the query
    #[schemars(length(min = 1))]
    pub(super) sql: Option<String>,
    /// The query itself
    #[schemars(length(min = 1))]
    pub(super) query: Option<String>,
    /// A table or view, written as in SQL, such as `marts.customers`
    #[schemars(length(min = 1))]
    pub(super) table: Option<String>,
    /// A model of a dbt project
    pub(super) dbt: Option<DbtForm>,
    /// The columns that are read of a table or dbt model, written as in SQL; all if absent
    #[schemars(length(min = 1))]
    pub(super) columns: Option<Vec<String>>,
    /// The column that identifies a record; of a dbt model, if absent, the one that dbt tests as unique
    #[schemars(length(min = 1))]
    pub(super) id: Option<String>,
    /// A column that grows with every change of a row: only newer rows are read, and no deletes are seen
    #[schemars(length(min = 1))]
    pub(super) timestamp: Option<String>,
    /// How far before the newest timestamp rows are read again, for those that arrive late; `10m` if absent
    pub(super) lookback: Option<Length>,
    /// When those of its mappings sync that do not say it themselves; `manual` if absent
    pub(super) schedule: Option<Schedule>,
}

/// A model of a dbt project
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DbtForm {
    /// The dbt project's folder, or its `manifest.json`
    #[schemars(length(min = 1))]
    pub(super) project: String,
    /// The model's name, or `package.name`
    #[schemars(length(min = 1))]
    pub(super) model: String,
}

/// A connection to a tool
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationForm {
    /// The tool's kind, such as `webhook`; `ebb catalog` lists them
    #[schemars(length(min = 1))]
    pub(super) kind: String,
    /// Settings of the kind; `ebb catalog KIND` lists them
    pub(super) settings: Option<Map<String, Value>>,
    /// Whether anything is sent to it; true if absent
    pub(super) enabled: Option<bool>,
    /// Categories of consent, all of which a record must have to be sent to it; none if absent
    pub(super) consent: Option<Vec<String>>,
}

/// Model to action
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingForm {
    /// The name of the model
    pub(super) model: String,
    /// The name of the destination
    pub(super) destination: String,
    /// What the destination does with a record; the catalog lists the actions of its kind
    #[schemars(length(min = 1))]
    pub(super) action: String,
    /// Which changes are sent; `added_or_updated` if absent
    pub(super) records: Option<Subscription>,
    /// Values or directives by field; a field that is absent takes the action's default
    pub(super) fields: Option<Map<String, Value>>,
    /// When it syncs; as its model says if absent, or else `manual`
    pub(super) schedule: Option<Schedule>,
    /// Whether it syncs at all; true if absent
    pub(super) enabled: Option<bool>,
    /// Whether records are sent in batches where the action can; true if absent
    pub(super) enable_batching: Option<bool>,
    /// Whether a deleted record carries the values that were delivered last; false if absent
    pub(super) keep_deleted_values: Option<bool>,
    /// What holds a sync until somebody approves
    pub(super) guards: Option<GuardsForm>,
}

/// A way to people outside the page
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelForm {
    /// What it is
    pub(super) kind: ChannelKind,
    /// Settings of the kind
    pub(super) settings: Option<Map<String, Value>>,
}

/// What people are told of without looking
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertRuleForm {
    /// What is told; `[failed, held, late, delivery_rate]` if absent
    #[schemars(length(min = 1))]
    pub(super) when: Option<Vec<Trouble>>,
    /// The names of the mappings that are watched; all if absent
    #[schemars(length(min = 1))]
    pub(super) mappings: Option<Vec<String>>,
    /// So long after it was due a sync may start; `30m` if absent
    pub(super) late_after: Option<Length>,
    /// The share of records that must be delivered within 24 hours, 0 to 1; 0.9 if absent
    #[schemars(range(min = 0, max = 1))]
    pub(super) min_delivery_rate: Option<f64>,
    /// How far the records of 24 hours may be from the usual, as a share of it; 0.5 if absent
    #[schemars(range(min = 0.01, max = 1000))]
    pub(super) max_volume_change: Option<f64>,
    /// The names of the channels that are told beside the page; none if absent
    pub(super) to: Option<Vec<String>>,
    /// Whether the rule holds; true if absent
    pub(super) enabled: Option<bool>,
}

/// What holds a sync until somebody approves
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardsForm {
    /// The share of the tracked records that one sync may delete, 0 to 1; 0.5 if absent
    #[schemars(range(min = 0, max = 1))]
    pub(super) max_deleted: Option<f64>,
}

impl GuardsForm {
    /// These guards, and others where nothing is said.
    pub(super) fn over(self, others: Guards) -> Guards {
        Guards { max_deleted: self.max_deleted.unwrap_or(others.max_deleted) }
    }
}

/// Limits that differ from the product's
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsForm {
    /// Characters of a model's query; 131072 if absent
    #[schemars(range(min = 1))]
    pub(super) query_length: Option<usize>,
    /// Characters of the names of identifier and timestamp columns; 191 if absent
    #[schemars(range(min = 1))]
    pub(super) key_column_name: Option<usize>,
    /// The shortest `every` of a schedule; `15m` if absent
    pub(super) schedule_interval: Option<Length>,
    /// Changes that one sync takes; 30000000 if absent
    #[schemars(range(min = 1))]
    pub(super) records: Option<u64>,
    /// Columns of a model; 512 if absent
    #[schemars(range(min = 1))]
    pub(super) columns: Option<usize>,
    /// Characters of a column's name; 128 if absent
    #[schemars(range(min = 1))]
    pub(super) column_name: Option<usize>,
    /// Bytes of a record as JSON; 524288 if absent
    #[schemars(range(min = 1))]
    pub(super) record_bytes: Option<usize>,
    /// Bytes of one column's value as JSON; 131072 if absent
    #[schemars(range(min = 1))]
    pub(super) column_bytes: Option<usize>,
    /// Mappings of one destination; 50 if absent
    #[schemars(range(min = 1))]
    pub(super) mappings_per_destination: Option<usize>,
    /// Records of a preview; 10 if absent
    #[schemars(range(min = 1))]
    pub(super) preview: Option<usize>,
    /// Syncs after which a failed record is given up; 5 if absent
    #[schemars(range(min = 1))]
    pub(super) attempts: Option<u32>,
    /// Time after which a failed record is given up; `14d` if absent
    pub(super) retry_for: Option<Length>,
    /// How long sent parts are kept for a replay; `14d` if absent
    pub(super) retention: Option<Length>,
}

impl LimitsForm {
    /// These limits, and others where nothing is said.
    pub(super) fn over(self, others: &Limits) -> Limits {
        let length = |ours: Option<Length>, other| ours.map_or(other, |Length(length)| length);
        Limits {
            query_length: self.query_length.unwrap_or(others.query_length),
            key_column_name: self.key_column_name.unwrap_or(others.key_column_name),
            schedule_interval: length(self.schedule_interval, others.schedule_interval),
            records: self.records.unwrap_or(others.records),
            columns: self.columns.unwrap_or(others.columns),
            column_name: self.column_name.unwrap_or(others.column_name),
            record_bytes: self.record_bytes.unwrap_or(others.record_bytes),
            column_bytes: self.column_bytes.unwrap_or(others.column_bytes),
            mappings_per_destination: self
                .mappings_per_destination
                .unwrap_or(others.mappings_per_destination),
            preview: self.preview.unwrap_or(others.preview),
            attempts: self.attempts.unwrap_or(others.attempts),
            retry_for: length(self.retry_for, others.retry_for),
            retention: length(self.retention, others.retention),
            usage: others.usage,
        }
    }
}

/// How many records may be processed in a month
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageForm {
    /// The plan, which sets the limit; `none` if absent
    pub(super) plan: Option<UsagePlan>,
}

/// The shape of names, for editors. Ebb's own check says more.
fn names() -> Value {
    serde_json::json!({ "pattern": "^[a-z0-9][a-z0-9_-]{0,49}$" })
}

/// The JSON Schema of a project's files.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<ProjectForm>()
}
