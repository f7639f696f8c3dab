//! Turns rows of the server into staged batches.

use std::{borrow::Cow, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{ArrowError, SchemaRef};
use ebb_core::{Column, ColumnKind, record::staged_schema};
use tiberius::{ColumnData, Row, time::DateTime2};

/// Rows of one batch, at most.
const ROWS: usize = 8192;
/// Bytes of one batch's values after which it is handed over.
const BYTES: usize = 4 << 20;
/// Days from the first of January of year 1 to that of 1970.
const EPOCH: i32 = 719_162;

/// Rows of another form than the columns that were described.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the column `{0}` changed its type since it was described")]
    Value(String),
    #[error("the rows have another form than was described")]
    Rows(#[from] ArrowError),
}

/// Rows that wait to be handed over.
pub(super) struct Batch {
    schema: SchemaRef,
    columns: Vec<(String, Builder)>,
    rows: usize,
    bytes: usize,
}

/// A column's values by what they are.
enum Builder {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    /// Whether it is a time of day, whose last zeros say nothing.
    Text(StringBuilder, bool),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

impl Builder {
    fn of(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new()),
            ColumnKind::Decimal | ColumnKind::Text | ColumnKind::Json => {
                Self::Text(StringBuilder::new(), false)
            }
            ColumnKind::Time => Self::Text(StringBuilder::new(), true),
            ColumnKind::Binary => Self::Binary(BinaryBuilder::new()),
            ColumnKind::Date => Self::Date(Date32Builder::new()),
            ColumnKind::Timestamp => {
                Self::Moment(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::LocalTimestamp => Self::Moment(TimestampMicrosecondBuilder::new()),
        }
    }

    /// Adds a value; `None` if it is of another type.
    fn push(&mut self, value: &ColumnData<'_>) -> Option<()> {
        match self {
            Self::Boolean(values) => {
                let ColumnData::Bit(value) = value else { return None };
                values.append_option(*value);
            }
            Self::Integer(values) => match number(value)? {
                Number::Integer(number) => values.append_option(number),
                Number::Float(_) => return None,
            },
            Self::Float(values) => match number(value)? {
                Number::Float(number) => values.append_option(number),
                Number::Integer(_) => return None,
            },
            Self::Text(values, is_time) => {
                let ColumnData::String(text) = value else { return None };
                let text = text.as_deref();
                values.append_option(if *is_time { text.map(shortest) } else { text });
            }
            Self::Binary(values) => {
                let ColumnData::Binary(bytes) = value else { return None };
                values.append_option(bytes.as_deref());
            }
            Self::Date(values) => {
                let ColumnData::Date(date) = value else { return None };
                let days = |date: tiberius::time::Date| i32::try_from(date.days()).ok();
                values.append_option(date.and_then(days).map(|days| days - EPOCH));
            }
            Self::Moment(values) => {
                let ColumnData::DateTime2(moment) = value else { return None };
                values.append_option(moment.map(micros));
            }
        }
        Some(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Integer(values) => Arc::new(values.finish()),
            Self::Float(values) => Arc::new(values.finish()),
            Self::Text(values, _) => Arc::new(values.finish()),
            Self::Binary(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Moment(values) => Arc::new(values.finish()),
        }
    }
}

/// A number, or null of its type.
#[derive(Debug, PartialEq)]
enum Number {
    Integer(Option<i64>),
    Float(Option<f64>),
}

/// The number that a value is. One of four bytes has the shortest digits that tell it apart from others
/// of four bytes.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other type goes over the wire as a number")]
fn number(value: &ColumnData<'_>) -> Option<Number> {
    Some(match value {
        ColumnData::I64(number) => Number::Integer(*number),
        ColumnData::I32(number) => Number::Integer(number.map(Into::into)),
        ColumnData::I16(number) => Number::Integer(number.map(Into::into)),
        ColumnData::U8(number) => Number::Integer(number.map(Into::into)),
        ColumnData::F64(number) => Number::Float(*number),
        ColumnData::F32(number) => {
            Number::Float(number.and_then(|number| number.to_string().parse().ok()))
        }
        _ => return None,
    })
}

/// Microseconds since 1970.
fn micros(moment: DateTime2) -> i64 {
    let (date, time) = (moment.date(), moment.time());
    let days = i64::from(date.days()) - i64::from(EPOCH);
    let units = i64::try_from(time.increments()).unwrap_or_default();
    let micros = match u32::from(time.scale()) {
        fine @ 7.. => units / 10_i64.pow((fine - 6).min(9)),
        coarse => units * 10_i64.pow(6 - coarse),
    };
    days * 86_400_000_000 + micros
}

/// A time of day without zeros at the end of its seconds' fraction.
fn shortest(time: &str) -> &str {
    if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time }
}

/// The text of a value of a small query.
#[expect(clippy::wildcard_enum_match_arm, reason = "Ebb's own queries ask for no other type")]
pub(super) fn text(value: ColumnData<'_>) -> Option<String> {
    match value {
        ColumnData::String(text) => text.map(Cow::into_owned),
        other => match number(&other)? {
            Number::Integer(number) => number.map(|number| number.to_string()),
            Number::Float(number) => number.map(|number| number.to_string()),
        },
    }
}

/// Bytes that a value takes, about.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are as small")]
fn size(value: &ColumnData<'_>) -> usize {
    match value {
        ColumnData::String(Some(text)) => text.len(),
        ColumnData::Binary(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}

impl Batch {
    /// An empty batch of rows with these columns after Ebb's own.
    pub(super) fn new(columns: &[Column]) -> Self {
        let own = [ColumnKind::Integer, ColumnKind::Integer, ColumnKind::Text, ColumnKind::Text]
            .map(|kind| (String::new(), Builder::of(kind)));
        let model = columns.iter().map(|column| (column.name.clone(), Builder::of(column.kind)));
        Self {
            schema: staged_schema(columns).into(),
            columns: own.into_iter().chain(model).collect(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row) -> Result<(), Malformed> {
        for ((name, builder), value) in self.columns.iter_mut().zip(row) {
            self.bytes += size(&value);
            builder.push(&value).ok_or_else(|| Malformed::Value(name.clone()))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it should be taken.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// The rows so far, which it forgets.
    pub(super) fn take(&mut self) -> Result<RecordBatch, Malformed> {
        self.rows = 0;
        self.bytes = 0;
        let arrays = self.columns.iter_mut().map(|(_, builder)| builder.finish()).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }

    /// The rows that are left, if there are any.
    pub(super) fn last(&mut self) -> Result<Option<RecordBatch>, Malformed> {
        if self.rows == 0 { Ok(None) } else { self.take().map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use tiberius::{
        ColumnData,
        time::{Date, DateTime2, Time},
    };

    use super::{Number, micros, number, shortest};

    #[test]
    fn moments_of_every_precision_are_microseconds() {
        for (increments, scale, expected) in
            [(0, 0, 0), (86_399, 0, 86_399_000_000), (12_345, 3, 12_345_000), (1, 6, 1), (19, 7, 1)]
        {
            let moment = DateTime2::new(Date::new(719_162), Time::new(increments, scale));
            assert_eq!(micros(moment), expected);
        }
        let early = DateTime2::new(Date::new(0), Time::new(0, 7));
        assert_eq!(micros(early), -62_135_596_800_000_000);
    }

    #[test]
    fn numbers_of_four_bytes_have_their_own_digits() {
        assert_eq!(number(&ColumnData::F32(Some(0.1))), Some(Number::Float(Some(0.1))));
        assert_eq!(number(&ColumnData::F64(None)), Some(Number::Float(None)));
        assert_eq!(number(&ColumnData::Bit(None)), None);
    }

    #[test]
    fn times_end_where_they_say_nothing_more() {
        for (time, expected) in [
            ("10:00:00.1230000", "10:00:00.123"),
            ("10:00:00.0000000", "10:00:00"),
            ("10:00:00", "10:00:00"),
        ] {
            assert_eq!(shortest(time), expected);
        }
    }
}
