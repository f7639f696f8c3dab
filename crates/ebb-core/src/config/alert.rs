//! What people want to hear of without looking, and where they hear it.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Settings;

/// A way to people outside the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// What it is.
    pub kind: ChannelKind,
    /// The kind's own settings, secrets resolved.
    pub settings: Settings,
}

/// Kinds of channels.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Letters, by a mail server.
    Email,
    /// A channel of Slack, by an incoming webhook.
    Slack,
    /// Any address that takes JSON.
    Webhook,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Email, Self::Slack, Self::Webhook];

    /// The kind as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Webhook => "webhook",
        }
    }
}

/// What may be wrong with a mapping.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Its latest sync could not go on.
    Failed,
    /// Its latest sync delivered some records and others not.
    Partial,
    /// Its latest sync waits for approval.
    Held,
    /// A sync was due and has not started.
    Late,
    /// Too small a share of its records was delivered within a day.
    DeliveryRate,
    /// Many more or many fewer records than on other days.
    VolumeChange,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 6] = [
        Self::Failed,
        Self::Partial,
        Self::Held,
        Self::Late,
        Self::DeliveryRate,
        Self::VolumeChange,
    ];

    /// The trouble as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Held => "held",
            Self::Late => "late",
            Self::DeliveryRate => "delivery_rate",
            Self::VolumeChange => "volume_change",
        }
    }

    /// The trouble of this name.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.as_str() == text)
    }
}

/// Which troubles of which mappings are told, and where beside the page.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// The troubles.
    pub when: BTreeSet<Trouble>,
    /// The mappings; `None` for all, those to come as well.
    pub mappings: Option<BTreeSet<String>>,
    /// So long after it was due a sync may start.
    pub late_after: Duration,
    /// The share of records that must be delivered within 24 hours, 0 to 1.
    pub min_delivery_rate: f64,
    /// How far the records of 24 hours may be from the usual, as a share of it.
    pub max_volume_change: f64,
    /// The channels; none for the page alone.
    pub to: BTreeSet<String>,
    /// Whether it holds.
    pub enabled: bool,
}

impl AlertRule {
    /// The name of the rule that holds until there is one of that name in the configuration.
    pub const STANDARD: &'static str = "standard";

    /// Whether a mapping is meant.
    pub fn covers(&self, mapping: &str) -> bool {
        self.enabled && self.mappings.as_ref().is_none_or(|names| names.contains(mapping))
    }
}

/// What is told in the page, of every mapping, unless people say otherwise.
impl Default for AlertRule {
    fn default() -> Self {
        Self {
            when: [Trouble::Failed, Trouble::Held, Trouble::Late, Trouble::DeliveryRate].into(),
            mappings: None,
            late_after: Duration::from_mins(30),
            min_delivery_rate: 0.9,
            max_volume_change: 0.5,
            to: BTreeSet::new(),
            enabled: true,
        }
    }
}
