//! Ranges of network addresses in the configuration, such as `10.0.0.0/8`.

use std::{borrow::Cow, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A range of addresses, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range(pub(super) IpNet);

impl FromStr for Range {
    type Err = String;

    /// The error says what is allowed.
    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.parse::<IpNet>().ok();
        range
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
            .map(Self)
            .ok_or_else(|| "Allowed: a range such as `10.0.0.0/8`, or an address".to_owned())
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "address-range", "examples": ["10.0.0.0/8"] })
    }
}
