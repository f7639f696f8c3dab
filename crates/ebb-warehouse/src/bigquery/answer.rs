//! What the service answers.

use serde::{Deserialize, Deserializer};

/// A job.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Job {
    pub(super) status: Status,
    pub(super) statistics: Statistics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub(super) state: String,
    pub(super) error_result: Option<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Statistics {
    #[serde(deserialize_with = "number")]
    pub(super) total_bytes_processed: u64,
    pub(super) query: QueryStatistics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct QueryStatistics {
    #[serde(deserialize_with = "number")]
    pub(super) total_bytes_processed: u64,
    /// Rows that a statement wrote.
    #[serde(deserialize_with = "number")]
    pub(super) num_dml_affected_rows: u64,
    /// What a dry run tells of a query's result.
    pub(super) schema: Schema,
}

/// The columns of a result.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schema {
    pub(super) fields: Vec<Field>,
}

/// A column of a result, or a field of a struct.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) native: String,
    /// `REPEATED` for an array.
    pub(super) mode: String,
    /// Of a struct.
    pub(super) fields: Vec<Self>,
    /// Of a range.
    pub(super) range_element_type: Option<Element>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Element {
    #[serde(rename = "type")]
    pub(super) native: String,
}

/// A piece of a result without its rows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Page {
    #[serde(deserialize_with = "number")]
    pub(super) total_rows: u64,
}

/// Rows as text of their values.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "f")]
    pub(super) values: Vec<Cell>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cell {
    #[serde(rename = "v")]
    pub(super) value: Option<String>,
}

/// A dataset.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Dataset {
    pub(super) location: String,
}

/// A table.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TableInfo {
    pub(super) description: Option<String>,
    #[serde(deserialize_with = "number")]
    pub(super) num_rows: u64,
    pub(super) schema: Schema,
}

/// Some of a project's datasets.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DatasetList {
    pub(super) datasets: Vec<ListedDataset>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedDataset {
    pub(super) dataset_reference: DatasetName,
    #[serde(default)]
    pub(super) location: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetName {
    pub(super) dataset_id: String,
}

/// Some of a dataset's tables.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TableList {
    pub(super) tables: Vec<Listed>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) table_reference: TableReference,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableReference {
    pub(super) table_id: String,
}

/// Why a request was refused.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refused {
    pub(super) error: Envelope,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    pub(super) message: String,
    pub(super) errors: Vec<Reason>,
}

/// Why a statement failed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    /// One word of the service's list.
    pub(super) reason: String,
    pub(super) message: String,
}

impl Refused {
    /// The first reason.
    pub(super) fn reason(self) -> Reason {
        let Envelope { message, errors } = self.error;
        errors.into_iter().next().unwrap_or(Reason { reason: String::new(), message })
    }
}

/// A number that the service writes as text, so that 64 bits survive.
fn number<'de, R: Deserializer<'de>>(reader: R) -> Result<u64, R::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(reader)?;
    text.parse().map_err(serde::de::Error::custom)
}
