//! Schedules by days of the week and hours of the day, in a time zone.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::{self, TimeZone},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de};

use crate::suggest;

/// Days of the week and hours of the day.
///
/// Where clocks go forward over an hour, its sync runs when that hour would have begun by the old
/// offset (02:00 becomes 03:00). Where they go back, an hour that comes twice counts the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Days of the week.
    #[schemars(length(min = 1))]
    pub days: Vec<Day>,
    /// Full hours of the day, such as `09:00`.
    #[schemars(length(min = 1))]
    pub at: Vec<FullHour>,
    /// The time zone of `at`, by its IANA name; UTC if absent.
    #[serde(default)]
    pub timezone: Zone,
}

impl Calendar {
    /// The first moment after `moment` that is on one of the days at one of the hours.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let zone = &self.timezone.0;
        let today = zone.to_datetime(moment).date();
        // A week ahead holds each weekday once. One day more on both sides, because a zone that
        // crosses the date line moves a day's hours into the next day.
        (-1..=8)
            .filter_map(|days: i64| today.checked_add(days.days()).ok())
            .filter(|date| self.days.iter().any(|day| day.weekday() == date.weekday()))
            .flat_map(|date| {
                self.at.iter().filter_map(move |hour| zone.to_timestamp(hour.of(date)).ok())
            })
            .filter(|due| *due > moment)
            .min()
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// The calendar's word for it.
    pub const fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

/// An hour of the day, `00:00` to `23:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FullHour(i8);

impl FullHour {
    /// The hour on a day, on the local clock.
    pub(super) fn of(self, date: Date) -> DateTime {
        date.at(self.0, 0, 0, 0)
    }
}

impl FromStr for FullHour {
    type Err = String;

    /// The error says what is allowed.
    fn from_str(text: &str) -> Result<Self, String> {
        (0..24)
            .map(Self)
            .find(|hour| hour.to_string() == text)
            .ok_or_else(|| "Allowed: full hours from \"00:00\" to \"23:00\", in quotes".to_owned())
    }
}

impl fmt::Display for FullHour {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:00", self.0)
    }
}

/// A time zone with its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = String;

    /// The error says what is allowed.
    fn from_str(text: &str) -> Result<Self, String> {
        const ALLOWED: &str = "Allowed: IANA names such as `Europe/Berlin`, and `UTC`";
        tz::db().get(text).map(Self).map_err(|_| {
            let names: Vec<_> = tz::db().available().map(|name| name.to_string()).collect();
            match suggest::nearest(text, names.iter().map(String::as_str)) {
                Some(name) => format!("Did you mean `{name}`? {ALLOWED}"),
                None => ALLOWED.to_owned(),
            }
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.0.iana_name().unwrap_or("UTC"))
    }
}

/// Text in the configuration: `FromStr` to read, `Display` to write, a format for the schema.
macro_rules! text_form {
    ($type:ident, $format:literal, $extra:tt) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($extra);
                schema.insert("type".to_owned(), "string".into());
                schema.insert("format".to_owned(), $format.into());
                schema
            }
        }
    };
}

pub(super) use text_form;

text_form!(FullHour, "full-hour", { "pattern": "^([01][0-9]|2[0-3]):00$" });
text_form!(Zone, "time-zone", { "default": "UTC", "examples": ["Europe/Berlin"] });
