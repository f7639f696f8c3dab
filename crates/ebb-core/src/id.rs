//! Identities of syncs and parts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// A sync's identity: sorts by start, unique over machines and state folders, and fits a table name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SyncId(Ulid);

/// The place of a part within its sync, from 0.
pub type PartNumber = u32;

impl SyncId {
    /// An identity of a moment (milliseconds since 1970) and 80 random bits.
    pub const fn from_parts(milliseconds: u64, random: u128) -> Self {
        Self(Ulid::from_parts(milliseconds, random))
    }

    /// The moment it was made at, in milliseconds since 1970.
    pub const fn milliseconds(self) -> u64 {
        self.0.timestamp_ms()
    }
}

/// 26 lower-case letters and digits.
impl fmt::Display for SyncId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0.to_string().to_ascii_lowercase())
    }
}

impl FromStr for SyncId {
    type Err = ulid::DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ulid::from_string(text).map(Self)
    }
}

impl Serialize for SyncId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SyncId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
