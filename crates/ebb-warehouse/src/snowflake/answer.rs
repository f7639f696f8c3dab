//! What both protocols answer with.

use serde::Deserialize;

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
