//! What a connection to a destination needs to know.

use serde::{Deserialize, Serialize};

use super::Indexed;

/// One setting of a destination.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What people call it.
    pub label: String,
    /// Where to find it, or what it does.
    #[serde(default)]
    pub help: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// Whether the destination does not work without it.
    #[serde(default)]
    pub required: bool,
    /// The value when none is given.
    #[serde(default)]
    pub default: Option<serde_json::Value>,
    /// For a choice: what may be given, and the value that stands for it in requests.
    #[serde(default, skip_serializing_if = "Indexed::is_empty")]
    pub choices: Indexed<String>,
    /// Whether a secret may be used in addresses and bodies, because the service wants it there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_url: bool,
}

impl Setting {
    /// Whether it may have a say in where the destination's secrets are sent. The values of a choice are the
    /// manifest's own, and a secret stands in an address only where it is said so.
    pub const fn leads(&self) -> bool {
        match self.kind {
            SettingKind::String | SettingKind::Number => true,
            SettingKind::Secret => self.in_url,
            SettingKind::Choice | SettingKind::Boolean => false,
        }
    }
}

/// What a setting's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Text.
    String,
    /// Text that is never shown.
    Secret,
    /// One of `choices`.
    Choice,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
}
