//! Turns the JSON of a result's piece into staged batches.

use std::fmt;

use arrow_array::RecordBatch;
use ebb_core::{Column, Failure};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, SeqAccess, Visitor},
};

use super::rows::unlike;
use crate::text_rows::{Batches, Object};

/// The batches of an object that has rows as `data`.
pub(super) fn object(columns: &[Column], json: &[u8]) -> Result<Vec<RecordBatch>, Failure> {
    let mut batches = Batches::new(columns);
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = Object("data", Rows(&mut batches)).deserialize(&mut reader);
    read.and_then(|()| batches.finish()).map_err(|error| unlike().caused_by(error))
}

/// The batches of a list of rows.
pub(super) fn list(columns: &[Column], json: &[u8]) -> Result<Vec<RecordBatch>, Failure> {
    let mut batches = Batches::new(columns);
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = Rows(&mut batches).deserialize(&mut reader);
    read.and_then(|()| batches.finish()).map_err(|error| unlike().caused_by(error))
}

/// Reads the list of rows.
struct Rows<'a>(&'a mut Batches);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of rows")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut rows: S) -> Result<(), S::Error> {
        while rows.next_element_seed(Row(&mut *self.0))?.is_some() {
            self.0.row_is_full().map_err(S::Error::custom)?;
        }
        Ok(())
    }
}

/// Reads one row.
struct Row<'a>(&'a mut Batches);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a row of {} values", self.0.width())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut row: S) -> Result<(), S::Error> {
        let width = self.0.width();
        for (number, place) in self.0.places().enumerate() {
            if row.next_element_seed(place)?.is_none() {
                return Err(S::Error::invalid_length(number, &"a value for each column"));
            }
        }
        match row.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(S::Error::invalid_length(width + 1, &"a value for each column")),
        }
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind, RecordSet};

    use super::{list, object};

    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", ColumnKind::Decimal, "NUMBER(38,0)"),
            Column::new("odd", ColumnKind::Float, "FLOAT"),
            Column::new("doc", ColumnKind::Json, "VARIANT"),
        ]
    }

    #[test]
    fn rows_become_records() {
        let rows = r#"[["1","1","7","x","7","NaN","{\"a\": 1}"],
            ["2","1","8","y","123456789012345678901234567890",null,"[undefined]"]]"#;
        let whole = format!(r#"{{"a":[{{}}],"data":{rows},"z":1}}"#);
        let (columns, rows) = (columns(), rows.as_bytes());
        for batches in [object(&columns, whole.as_bytes()), list(&columns, rows)] {
            let set = RecordSet::new(&batches.unwrap()[0], "m".into(), "t".into()).unwrap();
            let told: Vec<_> = set.iter().map(|record| record.properties().to_json()).collect();
            assert_eq!(
                told,
                [
                    r#"{"id":7,"odd":null,"doc":{"a":1}}"#,
                    r#"{"id":123456789012345678901234567890,"odd":null,"doc":"[undefined]"}"#
                ]
            );
        }
    }

    #[test]
    fn rows_of_another_form_are_refused_without_telling_them() {
        for data in [
            r#"[["1","1","7","x","7","secret","1"]]"#,
            r#"[["1","1","7","x","7"]]"#,
            r#"[["1","1","7","x","7","1","1","secret"]]"#,
            r#"[["1","1","7","x"#,
        ] {
            let failure = object(&columns(), format!("{{\"data\":{data}").as_bytes()).unwrap_err();
            assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        }
    }
}
