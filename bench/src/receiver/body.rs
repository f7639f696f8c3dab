//! What is in a body: how many records, and which.

use std::fmt;

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The records of a body, counted by a full parse that keeps nothing.
#[derive(Debug)]
pub(super) struct RecordCount(pub(super) u64);

/// The records of a body by their identifiers.
#[derive(Debug)]
pub(super) struct RecordIds(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for RecordCount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;
        impl<'de> Visitor<'de> for Count {
            type Value = RecordCount;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object or an array of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<RecordCount, A::Error> {
                let mut count = 0;
                while records.next_element::<OneRecord>()?.is_some() {
                    count += 1;
                }
                Ok(RecordCount(count))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut record: A) -> Result<RecordCount, A::Error> {
                while record.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(RecordCount(1))
            }
        }
        deserializer.deserialize_any(Count)
    }
}

/// One record, of which nothing is kept: anything but an object is refused.
struct OneRecord;

impl<'de> Deserialize<'de> for OneRecord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Skip;
        impl<'de> Visitor<'de> for Skip {
            type Value = OneRecord;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut record: A) -> Result<OneRecord, A::Error> {
                while record.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(OneRecord)
            }
        }
        deserializer.deserialize_map(Skip)
    }
}

/// The identifiers a record may bear, in the order in which they are preferred.
#[derive(Deserialize)]
struct Identified {
    #[serde(rename = "messageId")]
    message_id: Option<serde_json::Value>,
    id: Option<serde_json::Value>,
    #[serde(rename = "__segment_id")]
    record_id: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IdentifiedBody {
    Many(Vec<Identified>),
    One(Identified),
}

impl<'de> Deserialize<'de> for RecordIds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let records = match IdentifiedBody::deserialize(deserializer)? {
            IdentifiedBody::Many(records) => records,
            IdentifiedBody::One(record) => vec![record],
        };
        let id_of = |record: Identified| match record.message_id.or(record.id).or(record.record_id)
        {
            Some(serde_json::Value::String(text)) => Ok(text),
            Some(other) => Ok(other.to_string()),
            None => Err(D::Error::custom("a record has none of `messageId`, `id`, `__segment_id`")),
        };
        records.into_iter().map(id_of).collect::<Result<_, _>>().map(RecordIds)
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordCount, RecordIds};

    #[test]
    fn an_array_counts_its_records_and_an_object_is_one() {
        let count =
            |body: &str| serde_json::from_str::<RecordCount>(body).map(|count| count.0).ok();
        assert_eq!(count(r#"[{"a":[1,{"b":2}]},{}]"#), Some(2));
        assert_eq!(count(r#"{"a":1}"#), Some(1));
        assert_eq!(count("[]"), Some(0));
    }

    #[test]
    fn what_is_no_json_or_no_record_is_refused() {
        for body in ["", "[{}", r#"[{"a":}]"#, "[1]", "7", r#"{"a":1} {"b":2}"#, "[{},]"] {
            assert!(serde_json::from_str::<RecordCount>(body).is_err(), "{body}");
        }
    }

    #[test]
    fn the_message_id_is_preferred_to_the_record_id() {
        let ids: RecordIds =
            serde_json::from_str(r#"[{"id":1,"messageId":"m"},{"id":2},{"__segment_id":"3"}]"#)
                .unwrap();
        assert_eq!(ids.0, ["m", "2", "3"]);
    }
}
