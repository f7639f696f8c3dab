//! A line in.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a line asks. Unknown keys are ignored: the oracle knows some that mean nothing here.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    #[serde(default)]
    pub(super) id: Option<Value>,
    pub(super) destination: String,
    pub(super) action: String,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    #[serde(default)]
    pub(super) mapping: Option<Map<String, Value>>,
    #[serde(default, rename = "useDefaults")]
    pub(super) use_defaults: bool,
    #[serde(default)]
    payload: Option<Value>,
    #[serde(default)]
    payloads: Option<Vec<Value>>,
    #[serde(default)]
    repeat: Option<usize>,
    #[serde(default)]
    pub(super) batch: bool,
    #[serde(default)]
    pub(super) responses: Vec<Response>,
    #[serde(default)]
    pub(super) now: Option<Timestamp>,
    #[serde(default)]
    seed: Option<i64>,
}

/// A scripted answer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Response {
    /// Part of the address.
    #[serde(rename = "match", default)]
    pub(super) part: Option<String>,
    /// A pattern of the address.
    #[serde(default)]
    pub(super) regex: Option<String>,
    #[serde(default)]
    pub(super) method: Option<String>,
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) body: Option<Value>,
    #[serde(default)]
    pub(super) headers: Map<String, Value>,
    /// How often it answers.
    #[serde(default)]
    pub(super) times: Option<i64>,
    #[serde(default, rename = "networkError")]
    pub(super) network_error: Option<Value>,
}

impl Line {
    /// The payloads, repeated as the line says.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &Value> {
        static NOTHING: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| Map::new().into());
        let given: Vec<&Value> = match (&self.payloads, &self.payload) {
            (Some(payloads), _) => payloads.iter().collect(),
            (None, Some(payload)) => vec![payload],
            (None, None) => vec![&NOTHING],
        };
        (0..self.repeat.unwrap_or(1)).flat_map(move |_| given.clone())
    }

    /// Where chance starts; never zero.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as `| 0` cuts")]
    pub(super) fn seed(&self) -> u32 {
        match self.seed.unwrap_or(1) as u32 {
            0 => 1,
            seed => seed,
        }
    }
}
