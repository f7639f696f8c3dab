//! Turns the JSON of a result's piece into staged batches, value by value, without a tree between.

use std::{fmt, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{DataType, SchemaRef};
use ebb_core::{Code, Column, ColumnKind, Failure, record::staged_schema};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// Rows of one batch, at most.
const ROWS: usize = 8192;
/// Bytes of one batch's values after which it is handed over.
const BYTES: usize = 4 << 20;

/// The batches of one piece of a result.
pub(super) fn batches(columns: &[Column], json: &[u8]) -> Result<Vec<RecordBatch>, Failure> {
    let mut batches = Batches::new(columns);
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = Piece(&mut batches).deserialize(&mut reader);
    read.and_then(|()| batches.finish()).map_err(|error| {
        Failure::new(Code::SourceQuery, "Snowflake gave rows of another form than it promised")
            .help("Run the sync again")
            .caused_by(error)
    })
}

/// What one column's values are gathered in.
enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Json(StringBuilder),
    Time(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

impl Values {
    fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new()),
            ColumnKind::Decimal | ColumnKind::Text => Self::Text(StringBuilder::new()),
            ColumnKind::Json => Self::Json(StringBuilder::new()),
            ColumnKind::Time => Self::Time(StringBuilder::new()),
            ColumnKind::Binary => Self::Binary(BinaryBuilder::new()),
            ColumnKind::Date => Self::Date(Date32Builder::new()),
            ColumnKind::Timestamp | ColumnKind::LocalTimestamp => {
                Self::Moment(TimestampMicrosecondBuilder::new())
            }
        }
    }

    fn null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Text(builder) | Self::Json(builder) | Self::Time(builder) => {
                builder.append_null();
            }
            Self::Binary(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Moment(builder) => builder.append_null(),
        }
    }

    /// Takes a value from its text; `None` if the text is none of such a value.
    fn push(&mut self, text: &str) -> Option<()> {
        match self {
            Self::Boolean(builder) => builder.append_value(boolean(text)?),
            Self::Integer(builder) => builder.append_value(text.parse().ok()?),
            Self::Float(builder) => {
                let number: f64 = text.parse().ok()?;
                builder.append_option(number.is_finite().then_some(number));
            }
            Self::Text(builder) => builder.append_value(text),
            Self::Json(builder) => {
                if serde_json::from_str::<&RawValue>(text).is_ok() {
                    builder.append_value(text);
                } else {
                    // What JSON has no word for, such as `undefined`, is shown as it is written.
                    builder.append_value(serde_json::Value::from(text).to_string());
                }
            }
            Self::Time(builder) => builder.append_value(time(text)?),
            Self::Binary(builder) => builder.append_value(bytes(text)?),
            Self::Date(builder) => builder.append_value(days(text)?),
            Self::Moment(builder) => builder.append_value(micros(text)?),
        }
        Some(())
    }

    fn finish(&mut self, wanted: &DataType) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Text(builder) | Self::Json(builder) | Self::Time(builder) => {
                Arc::new(builder.finish())
            }
            Self::Binary(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Moment(builder) => {
                let moments = builder.finish();
                let zone =
                    if let DataType::Timestamp(_, zone) = wanted { zone.clone() } else { None };
                Arc::new(moments.with_timezone_opt(zone))
            }
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        word => word.to_ascii_lowercase().parse().ok(),
    }
}

/// Bytes from their hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

/// A day as the number of days since 1970, or as ISO 8601 writes it.
fn days(text: &str) -> Option<i32> {
    text.parse().ok().or_else(|| {
        let day: civil::Date = text.parse().ok()?;
        Some(day.since(civil::date(1970, 1, 1)).ok()?.get_days())
    })
}

/// A time of day from seconds since midnight, or as ISO 8601 writes it.
fn time(text: &str) -> Option<String> {
    if text.contains(':') {
        return text.parse::<civil::Time>().ok().map(|time| time.to_string());
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u32 = seconds.parse().ok()?;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{hours:02}:{minutes:02}:{seconds:02}{point}{fraction}"))
}

/// Microseconds since 1970 from seconds, a fraction, and a zone's offset which they do not depend
/// on, or from what ISO 8601 writes.
fn micros(text: &str) -> Option<i64> {
    epoch(text).or_else(|| {
        let moment = text.parse::<Timestamp>().ok();
        let moment = moment.or_else(|| {
            let local: civil::DateTime = text.parse().ok()?;
            Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
        });
        moment.map(Timestamp::as_microsecond)
    })
}

fn epoch(text: &str) -> Option<i64> {
    let number = text.split(' ').next().filter(|number| !number.contains(':'))?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let whole = seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Some(if seconds.starts_with('-') { whole - micros } else { whole + micros })
}

/// Batches while they are filled.
struct Batches {
    schema: SchemaRef,
    values: Vec<Values>,
    rows: usize,
    bytes: usize,
    done: Vec<RecordBatch>,
}

impl Batches {
    fn new(columns: &[Column]) -> Self {
        let own = [ColumnKind::Integer, ColumnKind::Integer, ColumnKind::Text, ColumnKind::Text];
        let kinds = own.into_iter().chain(columns.iter().map(|column| column.kind));
        Self {
            schema: staged_schema(columns).into(),
            values: kinds.map(Values::new).collect(),
            rows: 0,
            bytes: 0,
            done: Vec::new(),
        }
    }

    fn row_is_full(&mut self) -> Result<(), serde_json::Error> {
        self.rows += 1;
        if self.rows >= ROWS || self.bytes >= BYTES { self.take() } else { Ok(()) }
    }

    fn take(&mut self) -> Result<(), serde_json::Error> {
        let fields = self.schema.fields();
        let arrays = self
            .values
            .iter_mut()
            .zip(fields)
            .map(|(values, field)| values.finish(field.data_type()));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays.collect());
        self.done.push(batch.map_err(serde_json::Error::custom)?);
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<RecordBatch>, serde_json::Error> {
        if self.rows > 0 {
            self.take()?;
        }
        Ok(self.done)
    }
}

/// Reads the object around the rows.
struct Piece<'a>(&'a mut Batches);

impl<'de> DeserializeSeed<'de> for Piece<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Piece<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with rows")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == "data" {
                map.next_value_seed(Rows(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
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
        write!(out, "a row of {} values", self.0.values.len())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut row: S) -> Result<(), S::Error> {
        let Batches { values, bytes, .. } = self.0;
        let width = values.len();
        for (place, values) in values.iter_mut().enumerate() {
            if row.next_element_seed(Cell { values, bytes })?.is_none() {
                return Err(S::Error::invalid_length(place, &"a value for each column"));
            }
        }
        match row.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(S::Error::invalid_length(width + 1, &"a value for each column")),
        }
    }
}

/// Reads one value.
struct Cell<'a> {
    values: &'a mut Values,
    bytes: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        reader.deserialize_any(self)
    }
}

impl Visitor<'_> for Cell<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("text or null")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.values.null();
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        *self.bytes += text.len();
        // The text is the user's: it stays out of messages.
        self.values.push(text).ok_or_else(|| E::custom("a value is not of its column's type"))
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind, RecordSet};

    use super::{batches, bytes, days, epoch, micros, time};

    #[test]
    fn values_are_read_from_numbers_or_from_their_text() {
        assert_eq!(epoch("1767348672.123456789 1560"), Some(1_767_348_672_123_456));
        assert_eq!(epoch("-0.500000000"), Some(-500_000));
        assert_eq!(epoch("-62135596800.000000000"), Some(-62_135_596_800_000_000));
        assert_eq!(micros("2026-01-02T10:11:12.123456789+00:00"), Some(1_767_348_672_123_456));
        assert_eq!(micros("2026-01-02 10:11:12.123456789"), Some(1_767_348_672_123_456));
        assert_eq!(micros("soon"), None);
        assert_eq!(
            (days("-1"), days("1970-01-03"), days("1600-01-01")),
            (Some(-1), Some(2), Some(-135_140))
        );
        assert_eq!(time("36672.123456000").as_deref(), Some("10:11:12.123456"));
        assert_eq!(time("0.000000000").as_deref(), Some("00:00:00"));
        assert_eq!(time("10:11:12.5").as_deref(), Some("10:11:12.5"));
        assert_eq!(bytes("00fF"), Some(vec![0, 255]));
        assert_eq!((bytes("0"), bytes("xy")), (None, None));
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::new("id", ColumnKind::Decimal, "NUMBER(38,0)"),
            Column::new("odd", ColumnKind::Float, "FLOAT"),
            Column::new("doc", ColumnKind::Json, "VARIANT"),
        ]
    }

    #[test]
    fn rows_become_records() {
        let json = br#"{"a":[{}],"data":[["1","1","7","x","7","NaN","{\"a\": 1}"],
            ["2","1","8","y","123456789012345678901234567890",null,"[undefined]"]],"z":1}"#;
        let batches = batches(&columns(), json).unwrap();
        let set = RecordSet::new(&batches[0], "m".into(), "t".into()).unwrap();
        let told: Vec<_> = set.iter().map(|record| record.properties().to_json()).collect();
        assert_eq!(
            told,
            [
                r#"{"id":7,"odd":null,"doc":{"a":1}}"#,
                r#"{"id":123456789012345678901234567890,"odd":null,"doc":"[undefined]"}"#
            ]
        );
    }

    #[test]
    fn rows_of_another_form_are_refused_without_telling_them() {
        for data in [
            r#"[["1","1","7","x","7","secret","1"]]"#,
            r#"[["1","1","7","x","7"]]"#,
            r#"[["1","1","7","x","7","1","1","secret"]]"#,
            r#"[["1","1","7","x"#,
        ] {
            let failure = batches(&columns(), format!("{{\"data\":{data}").as_bytes()).unwrap_err();
            assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        }
    }
}
