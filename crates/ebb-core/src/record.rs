//! Staged changes as a mapping sees them.
//!
//! A part holds Arrow record batches whose first columns are Ebb's own ([`SEQ`], [`OP`],
//! [`RECORD_ID`], [`CHECKSUM`]); the model's columns follow. A [`Record`] is one row of it.

use std::sync::Arc;

use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, cast::AsArray, types,
};
use arrow_schema::{DataType, Field, Schema};
use jiff::{SignedDuration, civil};
use xxhash_rust::xxh3::Xxh3;

use crate::{Column, ColumnKind, Failure, Number, Object, Operation, Value, failure::Code};

/// The change's place in its sync: `Int64`, unique, growing.
pub const SEQ: &str = "__ebb_seq";
/// The operation's number: `Int64`.
pub const OP: &str = "__ebb_op";
/// The identifier as text: `Utf8`.
pub const RECORD_ID: &str = "__ebb_record_id";
/// The checksum as text, of the new values, or of the tracked ones if the record is deleted: `Utf8`.
pub const CHECKSUM: &str = "__ebb_checksum";
/// How many of Ebb's own columns come before the model's.
pub const OWN_COLUMNS: usize = 4;

/// The Arrow schema of a sync's parts.
pub fn staged_schema(columns: &[Column]) -> Schema {
    let own = [
        Field::new(SEQ, DataType::Int64, false),
        Field::new(OP, DataType::Int64, false),
        Field::new(RECORD_ID, DataType::Utf8, true),
        Field::new(CHECKSUM, DataType::Utf8, true),
    ];
    Schema::new(own.into_iter().chain(columns.iter().map(Column::field)).collect::<Vec<_>>())
}

/// One column's values, typed once so that no row asks again.
#[derive(Debug, Clone)]
enum Values {
    Boolean(BooleanArray),
    Integer(Int64Array),
    Float(Float64Array),
    Decimal(StringArray),
    Text(StringArray),
    Json(StringArray),
    Binary(BinaryArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
    LocalTimestamp(TimestampMicrosecondArray),
}

/// Rows of one record batch, ready to be read as records.
#[derive(Debug, Clone)]
pub struct RecordSet {
    mapping: Arc<str>,
    synced_at: Arc<str>,
    seq: Int64Array,
    op: Int64Array,
    record_id: StringArray,
    checksum: StringArray,
    columns: Arc<[Column]>,
    values: Arc<[Values]>,
}

impl RecordSet {
    /// Reads a staged batch. `mapping` is part of every message id; `synced_at` (RFC 3339) is the
    /// events' timestamp, the same at every repetition of the sync.
    pub fn new(
        batch: &RecordBatch,
        mapping: Arc<str>,
        synced_at: Arc<str>,
    ) -> Result<Self, Failure> {
        let damaged = |what: &str| {
            Failure::new(
                Code::PartDamaged,
                format!("a staged part has an unexpected column `{what}`"),
            )
        };
        let own = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(name));
        let integer = |name: &str| {
            own(name)?.as_primitive_opt::<types::Int64Type>().cloned().ok_or_else(|| damaged(name))
        };
        let text =
            |name: &str| own(name)?.as_string_opt::<i32>().cloned().ok_or_else(|| damaged(name));
        let schema = batch.schema();
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for (field, array) in schema.fields().iter().zip(batch.columns()).skip(OWN_COLUMNS) {
            let column = Column::of_field(field).ok_or_else(|| damaged(field.name()))?;
            values.push(Values::new(column.kind, array).ok_or_else(|| damaged(field.name()))?);
            columns.push(column);
        }
        Ok(Self {
            mapping,
            synced_at,
            seq: integer(SEQ)?,
            op: integer(OP)?,
            record_id: text(RECORD_ID)?,
            checksum: text(CHECKSUM)?,
            columns: columns.into(),
            values: values.into(),
        })
    }

    /// The same records as a mapping of this name would send them at this time (RFC 3339).
    #[must_use]
    pub fn of_mapping(self, mapping: Arc<str>, synced_at: Arc<str>) -> Self {
        Self { mapping, synced_at, ..self }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.seq.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }

    /// The model's columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The record of a row; `None` past the end.
    pub fn get(&self, row: usize) -> Option<Record<'_>> {
        (row < self.len()).then_some(Record { set: self, row })
    }

    /// The record of a `seq`; the rows are in its order.
    pub fn find(&self, seq: u64) -> Option<Record<'_>> {
        let seq = i64::try_from(seq).ok()?;
        self.get(self.seq.values().binary_search(&seq).ok()?)
    }

    /// All records in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).map(move |row| Record { set: self, row })
    }
}

/// One changed record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    set: &'a RecordSet,
    row: usize,
}

impl<'a> Record<'a> {
    /// The change's place in its sync.
    pub fn seq(self) -> u64 {
        self.set.seq.value(self.row).unsigned_abs()
    }

    /// What happened to the record.
    pub fn operation(self) -> Operation {
        Operation::of_number(self.set.op.value(self.row)).unwrap_or(Operation::Updated)
    }

    /// The identifier as text; empty if it is null.
    pub fn record_id(self) -> &'a str {
        let ids: &'a StringArray = &self.set.record_id;
        if ids.is_null(self.row) { "" } else { ids.value(self.row) }
    }

    /// The model's columns.
    pub fn columns(self) -> &'a [Column] {
        &self.set.columns
    }

    /// The value of a column by its place among the model's columns; null past the end.
    pub fn value(self, column: usize) -> Value<'a> {
        let set: &'a RecordSet = self.set;
        set.values.get(column).map_or(Value::Null, |values| values.get(self.row))
    }

    /// Identifies the change, not its delivery: the same mapping, record and content always give
    /// the same 32 hexadecimal digits, so a receiver recognises a repetition.
    pub fn message_id(self) -> String {
        let mut hash = Xxh3::new();
        let set = self.set;
        let checksum =
            if set.checksum.is_null(self.row) { "" } else { set.checksum.value(self.row) };
        for part in [&*set.mapping, self.record_id(), checksum] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(&set.op.value(self.row).to_le_bytes());
        format!("{:032x}", hash.digest128())
    }

    /// The time of the sync, RFC 3339.
    pub fn timestamp(self) -> &'a str {
        let set: &'a RecordSet = self.set;
        &set.synced_at
    }

    /// How many bytes the values of variable width take together, as they are stored.
    pub fn text_bytes(self) -> usize {
        self.set.values.iter().map(|values| values.bytes(self.row)).sum()
    }

    /// The columns as one object.
    pub fn properties(self) -> Value<'a> {
        let columns = self.columns();
        Value::Object(
            columns
                .iter()
                .enumerate()
                .map(|(place, column)| (column.name.as_str().into(), self.value(place)))
                .collect(),
        )
    }

    /// The whole record in the form in which the reference gives it to a mapping.
    pub fn event(self) -> Value<'a> {
        let mut event = Object::with_capacity(6);
        event.push("type", "track".into());
        event.push("event", self.operation().event().into());
        event.push("messageId", self.message_id().into());
        event.push("timestamp", self.timestamp().into());
        event.push("properties", self.properties());
        event.push("__segment_id", self.record_id().into());
        event.into()
    }
}

impl Values {
    fn new(kind: ColumnKind, array: &dyn Array) -> Option<Self> {
        Some(match kind {
            ColumnKind::Boolean => Self::Boolean(array.as_boolean_opt()?.clone()),
            ColumnKind::Integer => Self::Integer(array.as_primitive_opt()?.clone()),
            ColumnKind::Float => Self::Float(array.as_primitive_opt()?.clone()),
            ColumnKind::Decimal => Self::Decimal(array.as_string_opt()?.clone()),
            ColumnKind::Text | ColumnKind::Time => Self::Text(array.as_string_opt()?.clone()),
            ColumnKind::Json => Self::Json(array.as_string_opt()?.clone()),
            ColumnKind::Binary => Self::Binary(array.as_binary_opt()?.clone()),
            ColumnKind::Date => Self::Date(array.as_primitive_opt()?.clone()),
            ColumnKind::Timestamp => Self::Timestamp(array.as_primitive_opt()?.clone()),
            ColumnKind::LocalTimestamp => Self::LocalTimestamp(array.as_primitive_opt()?.clone()),
        })
    }

    fn bytes(&self, row: usize) -> usize {
        let length = match self {
            Self::Decimal(array) | Self::Text(array) | Self::Json(array) => array.value_length(row),
            Self::Binary(array) => array.value_length(row),
            Self::Boolean(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Date(_)
            | Self::Timestamp(_)
            | Self::LocalTimestamp(_) => 0,
        };
        usize::try_from(length).unwrap_or_default()
    }

    fn get(&self, row: usize) -> Value<'_> {
        use base64::{Engine, prelude::BASE64_STANDARD};
        match self {
            Self::Boolean(array) if array.is_valid(row) => array.value(row).into(),
            Self::Integer(array) if array.is_valid(row) => array.value(row).into(),
            Self::Float(array) if array.is_valid(row) && array.value(row).is_finite() => {
                array.value(row).into()
            }
            Self::Decimal(array) if array.is_valid(row) => {
                Value::Number(Number::Decimal(array.value(row).into()))
            }
            Self::Text(array) if array.is_valid(row) => array.value(row).into(),
            // A source that promised JSON and broke the promise is shown as the text it gave.
            Self::Json(array) if array.is_valid(row) => {
                Value::from_json(array.value(row)).unwrap_or_else(|_| array.value(row).into())
            }
            Self::Binary(array) if array.is_valid(row) => {
                BASE64_STANDARD.encode(array.value(row)).into()
            }
            Self::Date(array) if array.is_valid(row) => date(array.value(row)),
            Self::Timestamp(array) if array.is_valid(row) => {
                moment(array.value(row)).map_or(Value::Null, |moment| format!("{moment}Z").into())
            }
            Self::LocalTimestamp(array) if array.is_valid(row) => {
                moment(array.value(row)).map_or(Value::Null, |moment| moment.to_string().into())
            }
            Self::Boolean(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Decimal(_)
            | Self::Text(_)
            | Self::Json(_)
            | Self::Binary(_)
            | Self::Date(_)
            | Self::Timestamp(_)
            | Self::LocalTimestamp(_) => Value::Null,
        }
    }
}

/// The date and time so many microseconds after the beginning of 1970, to the last second of the year
/// 9999: tables mark with it what has no end.
fn moment(microseconds: i64) -> Option<civil::DateTime> {
    const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    EPOCH.checked_add(SignedDuration::from_micros(microseconds)).ok()
}

fn date(days: i32) -> Value<'static> {
    const EPOCH: civil::Date = civil::date(1970, 1, 1);
    EPOCH
        .checked_add(jiff::Span::new().days(days))
        .map_or(Value::Null, |date| date.to_string().into())
}
