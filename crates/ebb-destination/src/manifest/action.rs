//! What a destination can do: fields, rules, and the request as a tree.

use ebb_mapping::fields::Fields;
use serde::{Deserialize, Serialize};

use super::{Indexed, Rows};
use crate::template::Tree;

/// One action of a destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionManifest {
    /// What people call it.
    pub label: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// How records may be written, if the mapping has a say in it.
    #[serde(default)]
    pub sync_modes: Option<SyncModes>,
    /// The outputs that a mapping may keep of each of its hooks.
    #[serde(default)]
    pub hooks: Indexed<Vec<String>>,
    /// Keys of the destination's `fields` that come before the action's own.
    #[serde(default)]
    pub(crate) shared: Vec<String>,
    /// What it takes.
    #[serde(default)]
    pub fields: Fields,
    /// What a payload must satisfy beyond its fields.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The planner in Rust, where a template is not enough.
    #[serde(default)]
    pub delivery: Delivery,
    /// The request.
    pub(crate) request: RequestManifest,
    /// How an answer tells of each record.
    #[serde(default)]
    pub rows: Option<Rows>,
}

/// How records may be written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SyncModes {
    /// What a mapping takes that does not say.
    pub default: String,
    /// What it may say.
    pub choices: Vec<String>,
}

/// What makes the requests.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The planner's name; without one, `request` is all.
    #[serde(default)]
    pub native: Option<String>,
}

/// A condition on a payload; one that does not hold rejects the record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Leaves of which at least one must count as true.
    #[serde(default)]
    pub(crate) any: Vec<String>,
    /// Leaves which must all count as true.
    #[serde(default)]
    pub(crate) all: Vec<String>,
    /// A leaf whose text must match `pattern`.
    #[serde(default)]
    pub(crate) value: Option<String>,
    /// A regular expression.
    #[serde(default)]
    pub(crate) pattern: Option<String>,
    /// What the record lacks, in a sentence without period.
    pub(crate) message: String,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// The text of the item as it stands.
    Text,
}

/// A request, as a tree of constants and leaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestManifest {
    /// `GET`, `POST`, …
    #[serde(default = "post")]
    pub(crate) method: String,
    /// The address.
    pub(crate) url: String,
    /// The query, added to the address.
    #[serde(default)]
    pub(crate) query: Indexed<String>,
    /// Headers: a table, or a leaf that is an object.
    #[serde(default)]
    pub(crate) headers: Option<Tree>,
    /// Whether the destination's credentials are sent.
    #[serde(default = "yes")]
    pub(crate) authenticated: bool,
    /// How the body is written.
    #[serde(default)]
    pub(crate) encoding: Encoding,
    /// What a record becomes.
    #[serde(default)]
    pub(crate) item: Option<Tree>,
    /// The body of a single record: constants, and `{{ item }}`.
    #[serde(default = "whole_item")]
    pub(crate) body: Tree,
    /// A signature over the body.
    #[serde(default)]
    pub(crate) sign: Option<Sign>,
    /// How records are sent together; without it each goes alone.
    #[serde(default)]
    pub(crate) batch: Option<BatchManifest>,
}

/// How records are sent together. What is not said is as for a single record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchManifest {
    /// The address.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// The body: constants, and `{{ items }}`.
    #[serde(default = "all_items")]
    pub(crate) body: Tree,
    /// Headers that only a batch of at least `headers_from` elements has.
    #[serde(default)]
    pub(crate) headers: Indexed<String>,
    /// See `headers`.
    #[serde(default = "one")]
    pub(crate) headers_from: usize,
    /// Most records of one request.
    pub(crate) max_items: usize,
    /// Most bytes of one request's records.
    pub(crate) max_bytes: usize,
    /// Most bytes of one record; a larger one is rejected.
    #[serde(default)]
    pub(crate) max_item_bytes: Option<usize>,
}

/// A signature: a hexadecimal HMAC with SHA-1 or SHA-256 over the first record of the body.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sign {
    /// The header that carries it.
    pub(crate) header: String,
    /// The digest.
    pub(crate) digest: Digest,
    /// The key, a leaf over `settings`; without a value nothing is signed.
    pub(crate) key: String,
}

/// The digest of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

fn post() -> String {
    "POST".to_owned()
}

const fn yes() -> bool {
    true
}

const fn one() -> usize {
    1
}

fn whole_item() -> Tree {
    Tree::Text("{{ item }}".to_owned())
}

fn all_items() -> Tree {
    Tree::Text("{{ items }}".to_owned())
}
