//! Rows of text to record batches.

use std::{mem, sync::Arc};

use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
    cast::AsArray,
    types::{Float64Type, Int16Type, Int32Type, Int64Type},
};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use ebb_core::{Column, ColumnKind};
use parquet::errors::ParquetError;
use tokio_postgres::{Error, SimpleQueryRow};

use super::{
    text::{self, Parsed},
    types::{Handling, handling},
};
use crate::pgwire::{BATCH_BYTES, BATCH_ROWS, Losses, widened};

/// The server sent what are no rows of these columns.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("a row has {0} values where {1} were expected")]
    Values(usize, usize),
    #[error("the value of column {0} does not have the format of its type")]
    Value(usize),
    #[error("a value is not UTF-8: {0}")]
    Encoding(#[from] Error),
    #[error("the rows do not fit the schema: {0}")]
    Schema(#[from] ArrowError),
    #[error("a file is damaged: {0}")]
    File(#[from] ParquetError),
}

/// Gathers rows into batches.
pub(super) struct Rows {
    schema: SchemaRef,
    readers: Vec<Reader>,
    count: usize,
    bytes: usize,
}

impl Rows {
    /// Rows of `staged_schema(columns)`.
    pub(super) fn new(schema: SchemaRef, columns: &[Column]) -> Self {
        let own = schema.fields().len() - columns.len();
        let handlings = std::iter::repeat_n(None, own)
            .chain(columns.iter().map(|column| Some((column.kind, handling(column)))));
        let readers = schema
            .fields()
            .iter()
            .zip(handlings)
            .map(|(field, column)| Reader::new(field.data_type(), column))
            .collect();
        Self { schema, readers, count: 0, bytes: 0 }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, row: &SimpleQueryRow) -> Result<(), Malformed> {
        if row.len() != self.readers.len() {
            return Err(Malformed::Values(row.len(), self.readers.len()));
        }
        self.count += 1;
        for (place, reader) in self.readers.iter_mut().enumerate() {
            let value = row.try_get(place)?;
            self.bytes += value.map_or(0, str::len);
            reader.push(value).ok_or(Malformed::Value(place + 1))?;
        }
        Ok(())
    }

    /// Takes rows that have types of their own where [`Rows::push`] takes text.
    pub(super) fn push_all(&mut self, rows: &RecordBatch) -> Result<(), Malformed> {
        if rows.num_columns() != self.readers.len() {
            return Err(Malformed::Values(rows.num_columns(), self.readers.len()));
        }
        self.count += rows.num_rows();
        for (place, (reader, values)) in self.readers.iter_mut().zip(rows.columns()).enumerate() {
            self.bytes += values.get_array_memory_size();
            reader.push_all(values).ok_or(Malformed::Value(place + 1))?;
        }
        Ok(())
    }

    /// Whether enough rows came for a batch.
    pub(super) const fn is_full(&self) -> bool {
        self.count >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// The rows that came since the last batch.
    pub(super) fn batch(&mut self) -> Result<RecordBatch, Malformed> {
        let columns = self.readers.iter_mut().map(Reader::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(mem::take(&mut self.count)));
        self.bytes = 0;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    /// The rows after the last full batch, if any.
    pub(super) fn last_batch(&mut self) -> Result<Option<RecordBatch>, Malformed> {
        if self.count == 0 { Ok(None) } else { self.batch().map(Some) }
    }

    /// The columns with values that could not be carried over as they are.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&str, Losses)> {
        let fields = self.schema.fields().iter().map(|field| field.name().as_str());
        fields
            .zip(self.readers.iter().map(|reader| reader.losses))
            .filter(|(_, losses)| *losses != Losses::default())
    }
}

enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Single(Float64Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Time(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

/// Reads the values of one column.
struct Reader {
    values: Values,
    losses: Losses,
    scratch: Vec<u8>,
}

impl Reader {
    /// A reader of values that become `arrow`; `column` is absent for Ebb's own.
    fn new(arrow: &DataType, column: Option<(ColumnKind, Handling)>) -> Self {
        let values = match column {
            None if *arrow == DataType::Int64 => Values::Integer(Int64Builder::new()),
            None => Values::Text(StringBuilder::new()),
            Some((ColumnKind::Boolean, _)) => Values::Boolean(BooleanBuilder::new()),
            Some((ColumnKind::Integer, _)) => Values::Integer(Int64Builder::new()),
            Some((ColumnKind::Float, Handling::Single)) => Values::Single(Float64Builder::new()),
            Some((ColumnKind::Float, _)) => Values::Double(Float64Builder::new()),
            Some((ColumnKind::Decimal | ColumnKind::Text | ColumnKind::Json, _)) => {
                Values::Text(StringBuilder::new())
            }
            Some((ColumnKind::Time, _)) => Values::Time(StringBuilder::new()),
            Some((ColumnKind::Binary, _)) => Values::Bytes(BinaryBuilder::new()),
            Some((ColumnKind::Date, _)) => Values::Date(Date32Builder::new()),
            Some((ColumnKind::Timestamp | ColumnKind::LocalTimestamp, _)) => {
                Values::Moment(TimestampMicrosecondBuilder::new().with_data_type(arrow.clone()))
            }
        };
        Self { values, losses: Losses::default(), scratch: Vec::new() }
    }

    /// Appends a value or null; `None` if the text is not one of the column's type.
    #[inline]
    fn push(&mut self, value: Option<&str>) -> Option<()> {
        let Some(text) = value else {
            self.null();
            return Some(());
        };
        let kept = match &mut self.values {
            Values::Boolean(builder) => {
                builder.append_value(match text {
                    "t" | "true" => true,
                    "f" | "false" => false,
                    _ => return None,
                });
                true
            }
            Values::Integer(builder) => {
                builder.append_value(text.parse().ok()?);
                true
            }
            Values::Single(builder) => {
                #[expect(clippy::cast_possible_truncation, reason = "a single in double digits")]
                let single = text.parse::<f64>().ok()? as f32;
                let value = widened(single, &mut self.scratch);
                builder.append_option(value);
                value.is_some()
            }
            Values::Double(builder) => {
                let value = text.parse::<f64>().ok()?;
                builder.append_option(value.is_finite().then_some(value));
                value.is_finite()
            }
            Values::Text(builder) => {
                builder.append_value(text);
                true
            }
            Values::Time(builder) => {
                builder.append_value(text::time(text));
                true
            }
            Values::Bytes(builder) => {
                self.scratch.clear();
                text::bytes(text, &mut self.scratch)?;
                builder.append_value(&self.scratch);
                true
            }
            Values::Date(builder) => match text::date(text)? {
                Parsed::Value(day) => {
                    builder.append_value(day);
                    true
                }
                Parsed::Remote => {
                    builder.append_null();
                    false
                }
            },
            Values::Moment(builder) => match text::moment(text)? {
                Parsed::Value(moment) => {
                    builder.append_value(moment);
                    true
                }
                Parsed::Remote => {
                    builder.append_null();
                    false
                }
            },
        };
        self.losses.nulled += u64::from(!kept);
        Some(())
    }

    /// Appends values of a type that the column may have in a file; `None` if it may not.
    fn push_all(&mut self, values: &ArrayRef) -> Option<()> {
        match (&mut self.values, values.data_type()) {
            (Values::Boolean(builder), DataType::Boolean) => {
                builder.append_array(values.as_boolean());
            }
            (Values::Integer(builder), DataType::Int64) => {
                builder.append_array(values.as_primitive::<Int64Type>());
            }
            (Values::Integer(builder), DataType::Int32) => {
                builder
                    .extend(values.as_primitive::<Int32Type>().iter().map(|it| it.map(i64::from)));
            }
            (Values::Integer(builder), DataType::Int16) => {
                builder
                    .extend(values.as_primitive::<Int16Type>().iter().map(|it| it.map(i64::from)));
            }
            (Values::Double(builder), DataType::Float64) => {
                for value in values.as_primitive::<Float64Type>() {
                    let kept = value.filter(|value| value.is_finite());
                    self.losses.nulled += u64::from(value.is_some() && kept.is_none());
                    builder.append_option(kept);
                }
            }
            (Values::Single(builder), DataType::Float64) => {
                for value in values.as_primitive::<Float64Type>() {
                    #[expect(clippy::cast_possible_truncation, reason = "a single, widened")]
                    let kept = value.and_then(|value| widened(value as f32, &mut self.scratch));
                    self.losses.nulled += u64::from(value.is_some() && kept.is_none());
                    builder.append_option(kept);
                }
            }
            (Values::Bytes(builder), DataType::Binary) => {
                builder.extend(values.as_binary::<i32>());
            }
            (_, DataType::Utf8) => {
                for value in values.as_string::<i32>() {
                    self.push(value)?;
                }
            }
            // The files tell nobody that these bytes are text.
            (_, DataType::Binary) => {
                for value in values.as_binary::<i32>() {
                    self.push(value.map(str::from_utf8).transpose().ok()?)?;
                }
            }
            (_, _) => return None,
        }
        Some(())
    }

    fn null(&mut self) {
        match &mut self.values {
            Values::Boolean(builder) => builder.append_null(),
            Values::Integer(builder) => builder.append_null(),
            Values::Single(builder) | Values::Double(builder) => builder.append_null(),
            Values::Text(builder) | Values::Time(builder) => builder.append_null(),
            Values::Bytes(builder) => builder.append_null(),
            Values::Date(builder) => builder.append_null(),
            Values::Moment(builder) => builder.append_null(),
        }
    }

    /// The values so far; the reader goes on with the next.
    fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Boolean(builder) => Arc::new(builder.finish()),
            Values::Integer(builder) => Arc::new(builder.finish()),
            Values::Single(builder) | Values::Double(builder) => Arc::new(builder.finish()),
            Values::Text(builder) | Values::Time(builder) => Arc::new(builder.finish()),
            Values::Bytes(builder) => Arc::new(builder.finish()),
            Values::Date(builder) => Arc::new(builder.finish()),
            Values::Moment(builder) => Arc::new(builder.finish()),
        }
    }
}
