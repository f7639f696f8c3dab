//! What the SQL API answers.

use serde::Deserialize;

use crate::snowflake::answer::RowType;

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
#[serde(rename_all = "camelCase")]
pub(super) struct Partition {
    #[serde(default)]
    pub(super) row_count: Option<usize>,
}

/// A statement that still runs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    pub(super) statement_handle: String,
}
