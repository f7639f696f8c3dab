//! How a service's answers are judged.

use ebb_core::Value;
use serde::{Deserialize, Serialize};

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Taken.
    Delivered,
    /// The record is at fault.
    Rejected,
    /// The credentials are at fault.
    Auth,
    /// Too fast.
    RateLimited,
    /// The service is at fault; the same may work later.
    Retry,
    /// Nobody expects this.
    Unexpected,
}

/// An answer that its body gives away.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BodyAnswer {
    /// Dots between keys.
    pub(crate) path: String,
    /// The value there; without one, anything but null, `false`, zero and emptiness.
    #[serde(default)]
    pub(crate) equals: Option<Value<'static>>,
    /// What the answer means.
    pub(crate) class: Class,
}

/// How an answer tells of each record. Paths have dots between keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Statuses beside 2xx whose answers tell of each record.
    #[serde(default)]
    pub(crate) on: Vec<u16>,
    /// The path of a list of the failed alone, each with its place in the request.
    #[serde(default)]
    pub(crate) failed: Option<String>,
    /// The path of a list of all records, in the order of the request.
    #[serde(default)]
    pub(crate) each: Option<String>,
    /// Within `failed`: the record's place, from 0.
    #[serde(default = "index")]
    pub(crate) index: String,
    /// Within `each`: what tells that the record was taken.
    #[serde(default)]
    pub(crate) ok: Option<String>,
    /// The value that `ok` then has; without one, anything that counts as true.
    #[serde(default)]
    pub(crate) equals: Option<Value<'static>>,
    /// Within either: the reason.
    #[serde(default)]
    pub(crate) message: Option<String>,
}

fn index() -> String {
    "index".to_owned()
}
