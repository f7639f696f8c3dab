//! What the service answers.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The answer about a statement.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) statement_id: String,
    pub(super) status: Status,
    /// There once it succeeded.
    #[serde(default)]
    pub(super) manifest: Manifest,
    #[serde(default)]
    pub(super) result: Piece,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) state: State,
    #[serde(default)]
    pub(super) error: Refused,
    #[serde(default)]
    pub(super) sql_state: String,
}

/// How far a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    /// It waits for its warehouse to start, or for its turn.
    Pending,
    Running,
    Succeeded,
    Failed,
    Canceled,
    /// Its result is no longer there.
    Closed,
}

/// What a result is like.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Manifest {
    #[serde(default)]
    pub(super) schema: Schema,
    #[serde(default)]
    pub(super) total_chunk_count: usize,
    /// Whether rows are missing because the result is larger than the service gives.
    #[serde(default)]
    pub(super) truncated: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Schema {
    #[serde(default)]
    pub(super) columns: Vec<ResultColumn>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ResultColumn {
    pub(super) name: String,
    /// The type as SQL writes it.
    pub(super) type_text: String,
}

/// A piece of a result: its rows, or where they are.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Piece {
    #[serde(default)]
    pub(super) data_array: Vec<Vec<Option<String>>>,
    #[serde(default)]
    pub(super) external_links: Vec<Link>,
}

/// Where a piece lies for some minutes. The address alone opens it.
#[derive(Clone, Deserialize)]
pub(super) struct Link {
    pub(super) chunk_index: usize,
    #[serde(rename = "external_link")]
    pub(super) address: String,
    /// What the storage wants to be sent.
    #[serde(default)]
    pub(super) http_headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Link").field("chunk_index", &self.chunk_index).finish_non_exhaustive()
    }
}

/// Why a request was refused, or a statement failed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refused {
    #[serde(default)]
    pub(super) error_code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// A token, or why there is none.
#[derive(Default, Deserialize)]
pub(super) struct Granted {
    #[serde(default)]
    pub(super) access_token: String,
    /// Seconds that the token lasts.
    #[serde(default)]
    pub(super) expires_in: u64,
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_description: String,
}
