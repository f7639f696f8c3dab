//! Turns the JSON of a result's piece into staged batches.

use std::fmt;

use arrow_array::RecordBatch;
use ebb_core::{Code, Column, Failure};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, SeqAccess, Visitor},
};

use super::answer::Rows;
use crate::text_rows::{Batches, Object, Place};

/// The batches of one piece of a result, and how many rows they hold.
pub(super) fn batches(columns: &[Column], json: &[u8]) -> Result<(Vec<RecordBatch>, u64), Failure> {
    let mut batches = Batches::new(columns);
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = Object("rows", List(&mut batches)).deserialize(&mut reader);
    let batches = read.and_then(|()| batches.finish()).map_err(unlike)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    Ok((batches, rows as u64))
}

/// The rows of one piece of a result as text.
pub(super) fn rows(json: &[u8]) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let rows: Rows = serde_json::from_slice(json).map_err(unlike)?;
    let texts = |row: super::answer::Row| row.values.into_iter().map(|cell| cell.value).collect();
    Ok(rows.rows.into_iter().map(texts).collect())
}

fn unlike(error: serde_json::Error) -> Failure {
    Failure::new(Code::SourceQuery, "BigQuery gave rows of another form than it promised")
        .help("Run the sync again")
        .caused_by(error)
}

/// Reads the list of rows.
struct List<'a>(&'a mut Batches);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of rows")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut rows: S) -> Result<(), S::Error> {
        while rows.next_element_seed(Object("f", Row(&mut *self.0)))?.is_some() {
            self.0.row_is_full().map_err(S::Error::custom)?;
        }
        Ok(())
    }
}

/// Reads the values of one row.
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
            if row.next_element_seed(Value(place))?.is_none() {
                return Err(S::Error::invalid_length(number, &"a value for each column"));
            }
        }
        match row.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(S::Error::invalid_length(width + 1, &"a value for each column")),
        }
    }
}

/// Reads one value.
struct Value<'a>(Place<'a>);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        Object("v", self.0).deserialize(reader)
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind, RecordSet};

    use super::batches;

    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", ColumnKind::Decimal, "BIGNUMERIC"),
            Column::new("odd", ColumnKind::Float, "FLOAT64"),
            Column::new("doc", ColumnKind::Json, "JSON"),
            Column::new("at", ColumnKind::Timestamp, "TIMESTAMP"),
            Column::new("clock", ColumnKind::LocalTimestamp, "DATETIME"),
        ]
    }

    fn row(values: &str) -> String {
        let values: Vec<_> = values.split('|').map(|value| format!("{{\"v\":{value}}}")).collect();
        format!("{{\"f\":[{}]}}", values.join(","))
    }

    #[test]
    fn rows_become_records() {
        let rows = [
            row(
                r#""1"|"1"|"7"|"-5"|"7"|"-Infinity"|"{\"a\": 1}"|"2026-01-02 10:11:12.123456+00"|null"#,
            ),
            row(
                r#""2"|"1"|"8"|"6"|"-99999999999999999999999999999999999999.5"|"1e+300"|null|"0001-01-01 00:00:00+00"|"9998-12-31T23:59:59.999999""#,
            ),
        ];
        let json = format!("{{\"kind\":{{}},\"rows\":[{}],\"z\":1}}", rows.join(","));
        let (batches, count) = batches(&columns(), json.as_bytes()).unwrap();
        assert_eq!(count, 2);
        let set = RecordSet::new(&batches[0], "m".into(), "t".into()).unwrap();
        let told: Vec<_> = set.iter().map(|record| record.properties().to_json()).collect();
        assert_eq!(
            told,
            [
                r#"{"id":7,"odd":null,"doc":{"a":1},"at":"2026-01-02T10:11:12.123456Z","clock":null}"#,
                r#"{"id":-99999999999999999999999999999999999999.5,"odd":1e+300,"doc":null,"at":"0001-01-01T00:00:00Z","clock":"9998-12-31T23:59:59.999999"}"#,
            ]
        );
    }

    #[test]
    fn rows_of_another_form_are_refused_without_telling_them() {
        for values in [
            r#""1"|"1"|"7"|"x"|"7"|"secret"|"1"|null|null"#,
            r#""1"|"1"|"7"|"x"|"7""#,
            r#""1"|"1"|"7"|"x"|"7"|"1"|"1"|"secret"|null"#,
            r#""1"|"1"|"7"|"x"|"7"|"1"|"1"|null|null|"secret""#,
            r#""1"|"1"|"7"|["secret"]"#,
        ] {
            let json = format!("{{\"rows\":[{}]}}", row(values));
            let failure = batches(&columns(), json.as_bytes()).unwrap_err();
            assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        }
    }
}
