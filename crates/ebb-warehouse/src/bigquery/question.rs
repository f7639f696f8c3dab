//! What the service is asked for: one query or script.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    pub(super) job_reference: JobReference<'a>,
    pub(super) configuration: Configuration<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobReference<'a> {
    pub(super) project_id: &'a str,
    pub(super) location: &'a str,
    /// A dry run makes no job, and needs no name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration<'a> {
    pub(super) query: Query<'a>,
    pub(super) labels: &'a Map<String, Value>,
    pub(super) dry_run: bool,
    /// A number, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_timeout_ms: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query<'a> {
    #[serde(rename = "query")]
    pub(super) sql: &'a str,
    pub(super) use_legacy_sql: bool,
    pub(super) connection_properties: [Property; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_dataset: Option<DatasetReference<'a>>,
    /// A number, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum_bytes_billed: Option<String>,
}

/// A setting of the job's own session.
#[derive(Debug, Serialize)]
pub(super) struct Property {
    pub(super) key: &'static str,
    pub(super) value: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetReference<'a> {
    pub(super) project_id: &'a str,
    pub(super) dataset_id: &'a str,
}
