//! What the service answers.

use serde::Deserialize;

/// The answer to a statement that is done, without its rows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    pub(super) statement_handle: String,
    pub(super) result_set_meta_data: MetaData,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetaData {
    pub(super) row_type: Vec<RowType>,
    #[serde(default)]
    pub(super) partition_info: Vec<Partition>,
}

/// One piece of a result.
#[derive(Debug, Deserialize)]
pub(super) struct Partition {}

/// A column of a result.
#[derive(Debug, Deserialize)]
pub(super) struct RowType {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) native: String,
    #[serde(default)]
    pub(super) precision: Option<u32>,
    #[serde(default)]
    pub(super) scale: Option<u32>,
}

/// Rows as text of their values.
#[derive(Debug, Deserialize)]
pub(super) struct Rows {
    #[serde(default)]
    pub(super) data: Vec<Vec<Option<String>>>,
}

/// A statement that still runs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    pub(super) statement_handle: String,
}

/// Why a request was refused, or a statement failed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refused {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) sql_state: String,
    #[serde(default)]
    pub(super) message: String,
}
