//! Turns rows of the server into staged batches.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{ArrowError, SchemaRef};
use ebb_core::{Column, ColumnKind, record::staged_schema};
use jiff::civil;
use mysql_async::{Row, Value};

/// Rows of one batch, at most.
const ROWS: usize = 8192;
/// Bytes of one batch's values after which it is handed over.
const BYTES: usize = 4 << 20;

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
    columns: Vec<Values>,
    rows: usize,
    bytes: usize,
}

/// One column's values, and how many of them have no counterpart and became null.
struct Values {
    name: String,
    builder: Builder,
    lost: u64,
}

/// A column's values by what they are.
enum Builder {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    /// Whether the numbers have four bytes at the server.
    Float(Float64Builder, bool),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

impl Builder {
    fn of(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new(), column.native == "float"),
            ColumnKind::Decimal | ColumnKind::Text | ColumnKind::Time | ColumnKind::Json => {
                Self::Text(StringBuilder::new())
            }
            ColumnKind::Binary => Self::Binary(BinaryBuilder::new()),
            ColumnKind::Date => Self::Date(Date32Builder::new()),
            ColumnKind::Timestamp => {
                Self::Moment(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::LocalTimestamp => Self::Moment(TimestampMicrosecondBuilder::new()),
        }
    }

    fn null(&mut self) {
        match self {
            Self::Boolean(values) => values.append_null(),
            Self::Integer(values) => values.append_null(),
            Self::Float(values, _) => values.append_null(),
            Self::Text(values) => values.append_null(),
            Self::Binary(values) => values.append_null(),
            Self::Date(values) => values.append_null(),
            Self::Moment(values) => values.append_null(),
        }
    }

    /// Adds a value; `None` if it is of another type, `false` if nothing can stand for it.
    fn push(&mut self, value: Value) -> Option<bool> {
        match (self, value) {
            (Self::Boolean(values), value) => values.append_value(integer(&value)? != 0),
            (Self::Integer(values), value) => values.append_value(integer(&value)?),
            (Self::Float(values, single), value) => values.append_value(double(&value, *single)?),
            (Self::Text(values), Value::Bytes(bytes)) => {
                values.append_value(String::from_utf8_lossy(&bytes));
            }
            (Self::Text(values), Value::Int(number)) => values.append_value(number.to_string()),
            (Self::Text(values), Value::UInt(number)) => values.append_value(number.to_string()),
            (Self::Text(values), Value::Time(negative, days, hours, minutes, seconds, micros)) => {
                let hours = u64::from(days) * 24 + u64::from(hours);
                let sign = if negative { "-" } else { "" };
                let fraction = fraction(micros);
                values
                    .append_value(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"));
            }
            (Self::Binary(values), Value::Bytes(bytes)) => values.append_value(bytes),
            (Self::Date(values), Value::Date(year, month, day, ..)) => {
                let Some(day) = days(year, month, day) else { return Some(false) };
                values.append_value(day);
            }
            (
                Self::Moment(values),
                Value::Date(year, month, day, hours, minutes, seconds, micros),
            ) => {
                let Some(day) = days(year, month, day) else { return Some(false) };
                let seconds = i64::from(day) * 86_400
                    + i64::from(hours) * 3600
                    + i64::from(minutes) * 60
                    + i64::from(seconds);
                values.append_value(seconds * 1_000_000 + i64::from(micros));
            }
            (Self::Text(_) | Self::Binary(_) | Self::Date(_) | Self::Moment(_), _) => return None,
        }
        Some(true)
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(values) => Arc::new(values.finish()),
            Self::Integer(values) => Arc::new(values.finish()),
            Self::Float(values, _) => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
            Self::Binary(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Moment(values) => Arc::new(values.finish()),
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::UInt(number) => i64::try_from(*number).ok(),
        // Sums and the like of whole numbers are decimals.
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        Value::NULL | Value::Float(_) | Value::Double(_) | Value::Date(..) | Value::Time(..) => {
            None
        }
    }
}

/// A number of four bytes has the shortest digits that tell it apart from others of four bytes.
fn double(value: &Value, single: bool) -> Option<f64> {
    let number = match value {
        Value::Float(number) => return number.to_string().parse().ok(),
        Value::Double(number) => *number,
        Value::Int(_)
        | Value::UInt(_)
        | Value::NULL
        | Value::Bytes(_)
        | Value::Date(..)
        | Value::Time(..) => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "it was a number of four bytes")]
    let shortest = if single { (number as f32).to_string().parse().ok()? } else { number };
    Some(shortest)
}

/// Days since 1970 of a date; `None` for one without month or day.
fn days(year: u16, month: u8, day: u8) -> Option<i32> {
    let number = |number: u8| i8::try_from(number).ok();
    let date = civil::Date::new(i16::try_from(year).ok()?, number(month)?, number(day)?).ok()?;
    date.since((jiff::Unit::Day, civil::date(1970, 1, 1))).ok().map(|span| span.get_days())
}

/// The digits after the seconds, without zeros at the end.
fn fraction(micros: u32) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}").trim_end_matches('0').to_owned()
}

/// Bytes that a value takes, about.
fn size(value: &Value) -> usize {
    if let Value::Bytes(bytes) = value { bytes.len() } else { 8 }
}

impl Batch {
    /// An empty batch of rows with these columns after Ebb's own.
    pub(super) fn new(columns: &[Column]) -> Self {
        let own = [ColumnKind::Integer, ColumnKind::Integer, ColumnKind::Text, ColumnKind::Text]
            .map(|kind| Column::new("", kind, ""));
        let columns_and_own = own.iter().chain(columns);
        Self {
            schema: staged_schema(columns).into(),
            columns: columns_and_own
                .map(|column| Values {
                    name: column.name.clone(),
                    builder: Builder::of(column),
                    lost: 0,
                })
                .collect(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row) -> Result<(), Malformed> {
        for (column, value) in self.columns.iter_mut().zip(row.unwrap()) {
            self.bytes += size(&value);
            if value == Value::NULL {
                column.builder.null();
                continue;
            }
            let pushed = column.builder.push(value);
            let kept = pushed.ok_or_else(|| Malformed::Value(column.name.clone()))?;
            if !kept {
                column.builder.null();
                column.lost += 1;
            }
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
        let arrays = self.columns.iter_mut().map(|column| column.builder.finish()).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }

    /// The rows that are left, if there are any.
    pub(super) fn last(&mut self) -> Result<Option<RecordBatch>, Malformed> {
        if self.rows == 0 { Ok(None) } else { self.take().map(Some) }
    }

    /// Logs how many values became null, column by column.
    pub(super) fn tell_losses(&self) {
        for Values { name, lost, .. } in self.columns.iter().filter(|column| column.lost > 0) {
            tracing::warn!(
                column = name,
                nulled = lost,
                "values without a counterpart were changed"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::Value;

    use super::{days, double, fraction};

    #[test]
    fn numbers_of_four_bytes_have_their_own_digits() {
        assert_eq!(double(&Value::Float(0.1), true), Some(0.1));
        assert_eq!(double(&Value::Double(f64::from(0.1_f32)), true), Some(0.1));
        assert_eq!(double(&Value::Double(f64::from(0.1_f32)), false), Some(f64::from(0.1_f32)));
    }

    #[test]
    fn dates_without_month_or_day_are_none() {
        assert_eq!(days(1970, 1, 2), Some(1));
        assert_eq!(days(0, 1, 1), Some(-719_528));
        assert_eq!(days(9999, 12, 31), Some(2_932_896));
        for (year, month, day) in [(0, 0, 0), (2026, 0, 1), (2026, 2, 0), (2026, 2, 31)] {
            assert_eq!(days(year, month, day), None);
        }
    }

    #[test]
    fn fractions_have_no_zeros_at_the_end() {
        assert_eq!([0, 500_000, 1].map(fraction), ["", ".5", ".000001"]);
    }
}
