//! What the service answers in this protocol.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::snowflake::answer::{Refused, RowType};

/// The frame around every answer.
#[derive(Deserialize)]
pub(super) struct Said<T> {
    #[serde(default = "Option::default")]
    pub(super) data: Option<T>,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) success: bool,
}

impl<T> Said<T> {
    /// Why the answer is none, with the state that SQL knows it by.
    pub(super) fn refused(&self, sql_state: Option<String>) -> Refused {
        Refused {
            code: self.code.clone().unwrap_or_default(),
            sql_state: sql_state.unwrap_or_default(),
            message: self.message.clone().unwrap_or_default(),
        }
    }
}

/// What signing in gives, and what it wants beside.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Granted {
    pub(super) token: Option<String>,
    pub(super) master_token: Option<String>,
    pub(super) next_action: Option<String>,
    pub(super) session_info: Option<Place>,
}

/// Where a session is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Place {
    pub(super) schema_name: Option<String>,
}

/// What a renewal gives.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Renewed {
    pub(super) session_token: Option<String>,
    pub(super) master_token: Option<String>,
}

/// What is said of a statement.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Executed {
    pub(super) query_id: Option<String>,
    pub(super) sql_state: Option<String>,
    /// Where the session is after it.
    pub(super) final_schema_name: Option<String>,
    /// Where to ask for the result of a statement that still runs.
    pub(super) get_result_url: Option<String>,
    #[serde(rename = "rowtype")]
    pub(super) row_type: Option<Vec<RowType>>,
    pub(super) query_result_format: Option<String>,
    /// All rows, wherever they are.
    pub(super) total: Option<usize>,
    /// The first rows, as JSON or as Arrow.
    pub(super) rowset: Option<Box<RawValue>>,
    pub(super) rowset_base64: Option<String>,
    /// Where the others are.
    pub(super) chunks: Option<Vec<Chunk>>,
    pub(super) chunk_headers: Option<BTreeMap<String, String>>,
    /// The key that opens them, if no headers say it.
    pub(super) qrmk: Option<String>,
    /// The results of several statements, by their ids.
    pub(super) result_ids: Option<String>,
}

/// A piece of a result in cloud storage. The address alone opens it, for some hours.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chunk {
    pub(super) url: String,
    pub(super) row_count: usize,
}
