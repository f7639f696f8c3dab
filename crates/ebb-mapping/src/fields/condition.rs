//! Conditions on other fields of the same payload.

use ebb_core::Value;
use serde::Deserialize;

/// Conditions, all or any of which must hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Whether one is enough; all must hold by default.
    #[serde(default, rename = "match")]
    pub mode: Match,
    /// The conditions; at least one.
    pub conditions: Vec<Condition>,
}

/// How many conditions must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What the condition looks at; a field by default.
    #[serde(default, rename = "type")]
    pub subject: Subject,
    /// The field's key, or `parent.key` for a field of an object; empty for another subject.
    #[serde(default, alias = "fieldKey")]
    pub field: String,
    /// `is` or `is_not`.
    pub operator: Operator,
    /// The value to compare with; without one, `is` means that the field is missing or null.
    #[serde(default)]
    pub value: Option<Value<'static>>,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Another field.
    #[default]
    Field,
    /// How records are written: `add`, `update`, `upsert`, `delete`.
    #[serde(alias = "syncMode")]
    SyncMode,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal.
    Is,
    /// Not equal.
    IsNot,
}
