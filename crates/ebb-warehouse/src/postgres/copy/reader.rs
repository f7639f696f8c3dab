//! One column of a copy: the server's bytes of a value, appended to the column's Arrow builder.

use std::sync::Arc;

use arrow_array::{
    ArrayRef,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{DataType, TimeUnit};
use tokio_postgres::types::Type;

use super::{numeric, time};
use crate::pgwire::{Losses, widened};

/// How the values of a column are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Format {
    Boolean,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Jsonb,
    Uuid,
    Bytes,
    Date,
    Time,
    TimeWithZone,
    Moment,
}

impl Format {
    /// The format of a server's type that is to become an Arrow type; `None` if it cannot.
    pub(in crate::postgres) fn of(native: &Type, arrow: &DataType) -> Option<Self> {
        const MICROSECOND: TimeUnit = TimeUnit::Microsecond;
        Some(match (native, arrow) {
            (&Type::BOOL, DataType::Boolean) => Self::Boolean,
            (&Type::INT2, DataType::Int64) => Self::Int2,
            (&Type::INT4, DataType::Int64) => Self::Int4,
            (&Type::INT8, DataType::Int64) => Self::Int8,
            (&Type::FLOAT4, DataType::Float64) => Self::Float4,
            (&Type::FLOAT8, DataType::Float64) => Self::Float8,
            (&Type::NUMERIC, DataType::Utf8) => Self::Numeric,
            (&(Type::TEXT | Type::VARCHAR | Type::NAME | Type::JSON), DataType::Utf8) => Self::Text,
            (&Type::JSONB, DataType::Utf8) => Self::Jsonb,
            (&Type::UUID, DataType::Utf8) => Self::Uuid,
            (&Type::BYTEA, DataType::Binary) => Self::Bytes,
            (&Type::DATE, DataType::Date32) => Self::Date,
            (&Type::TIME, DataType::Utf8) => Self::Time,
            (&Type::TIMETZ, DataType::Utf8) => Self::TimeWithZone,
            (&Type::TIMESTAMP, DataType::Timestamp(MICROSECOND, None))
            | (&Type::TIMESTAMPTZ, DataType::Timestamp(MICROSECOND, Some(_))) => Self::Moment,
            _ => return None,
        })
    }
}

/// What became of a value's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Value,
    /// The server's value has no counterpart (NaN, an infinity, a remote date): null instead.
    Nulled,
    /// Text that is not UTF-8: damaged characters were replaced.
    Lossy,
}

#[derive(Debug)]
enum Values {
    Boolean(BooleanBuilder),
    Int2(Int64Builder),
    Int4(Int64Builder),
    Int8(Int64Builder),
    Float4(Float64Builder),
    Float8(Float64Builder),
    Numeric(StringBuilder),
    Text(StringBuilder),
    Jsonb(StringBuilder),
    Uuid(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(StringBuilder),
    TimeWithZone(StringBuilder),
    Moment(TimestampMicrosecondBuilder),
}

/// Reads the values of one column.
#[derive(Debug)]
pub(in crate::postgres) struct Reader {
    values: Values,
    losses: Losses,
    /// Reused for values that are written out as text.
    scratch: Vec<u8>,
    text: String,
}

/// One arm for each builder, whatever its type.
macro_rules! each {
    ($values:expr, $builder:ident => $body:expr) => {
        match $values {
            Values::Boolean($builder) => $body,
            Values::Int2($builder) | Values::Int4($builder) | Values::Int8($builder) => $body,
            Values::Float4($builder) | Values::Float8($builder) => $body,
            Values::Numeric($builder)
            | Values::Text($builder)
            | Values::Jsonb($builder)
            | Values::Uuid($builder)
            | Values::Time($builder)
            | Values::TimeWithZone($builder) => $body,
            Values::Bytes($builder) => $body,
            Values::Date($builder) => $body,
            Values::Moment($builder) => $body,
        }
    };
}

impl Reader {
    /// A reader of values in a format, which become `arrow`.
    pub(in crate::postgres) fn new(format: Format, arrow: &DataType) -> Self {
        let values = match format {
            Format::Boolean => Values::Boolean(BooleanBuilder::new()),
            Format::Int2 => Values::Int2(Int64Builder::new()),
            Format::Int4 => Values::Int4(Int64Builder::new()),
            Format::Int8 => Values::Int8(Int64Builder::new()),
            Format::Float4 => Values::Float4(Float64Builder::new()),
            Format::Float8 => Values::Float8(Float64Builder::new()),
            Format::Numeric => Values::Numeric(StringBuilder::new()),
            Format::Text => Values::Text(StringBuilder::new()),
            Format::Jsonb => Values::Jsonb(StringBuilder::new()),
            Format::Uuid => Values::Uuid(StringBuilder::new()),
            Format::Bytes => Values::Bytes(BinaryBuilder::new()),
            Format::Date => Values::Date(Date32Builder::new()),
            Format::Time => Values::Time(StringBuilder::new()),
            Format::TimeWithZone => Values::TimeWithZone(StringBuilder::new()),
            Format::Moment => {
                Values::Moment(TimestampMicrosecondBuilder::new().with_data_type(arrow.clone()))
            }
        };
        Self { values, losses: Losses::default(), scratch: Vec::new(), text: String::new() }
    }

    /// Appends a null.
    pub(super) fn null(&mut self) {
        each!(&mut self.values, builder => builder.append_null());
    }

    /// Appends a value; `None` if the bytes are not one of the format.
    #[inline]
    pub(super) fn value(&mut self, bytes: &[u8]) -> Option<()> {
        let read = match &mut self.values {
            Values::Boolean(builder) => {
                let &[byte] = bytes else { return None };
                builder.append_value(byte != 0);
                Read::Value
            }
            Values::Int2(builder) => {
                builder.append_value(i16::from_be_bytes(bytes.try_into().ok()?).into());
                Read::Value
            }
            Values::Int4(builder) => {
                builder.append_value(i32::from_be_bytes(bytes.try_into().ok()?).into());
                Read::Value
            }
            Values::Int8(builder) => {
                builder.append_value(i64::from_be_bytes(bytes.try_into().ok()?));
                Read::Value
            }
            Values::Float4(builder) => {
                let value = f32::from_be_bytes(bytes.try_into().ok()?);
                append(widened(value, &mut self.scratch), builder)
            }
            Values::Float8(builder) => {
                let value = f64::from_be_bytes(bytes.try_into().ok()?);
                append(value.is_finite().then_some(value), builder)
            }
            Values::Numeric(builder) => {
                self.scratch.clear();
                match numeric::write(bytes, &mut self.scratch)? {
                    numeric::Numeric::Number => append_text(&self.scratch, builder),
                    numeric::Numeric::NotFinite => {
                        builder.append_null();
                        Read::Nulled
                    }
                }
            }
            Values::Text(builder) => append_text(bytes, builder),
            Values::Jsonb(builder) => {
                let Some((1, json)) = bytes.split_first() else { return None };
                append_text(json, builder)
            }
            Values::Uuid(builder) => append_text(&hyphenated(bytes.try_into().ok()?), builder),
            Values::Bytes(builder) => {
                builder.append_value(bytes);
                Read::Value
            }
            Values::Date(builder) => {
                let day = time::day(i32::from_be_bytes(bytes.try_into().ok()?));
                builder.append_option(day);
                if day.is_some() { Read::Value } else { Read::Nulled }
            }
            Values::Time(builder) => {
                self.text.clear();
                let microseconds = i64::from_be_bytes(bytes.try_into().ok()?);
                time::write_time(microseconds, &mut self.text).ok()?;
                builder.append_value(&self.text);
                Read::Value
            }
            Values::TimeWithZone(builder) => {
                self.text.clear();
                let (microseconds, zone) = bytes.split_first_chunk::<8>()?;
                time::write_time(i64::from_be_bytes(*microseconds), &mut self.text).ok()?;
                let zone = i32::from_be_bytes(zone.try_into().ok()?);
                time::write_offset(zone, &mut self.text).ok()?;
                builder.append_value(&self.text);
                Read::Value
            }
            Values::Moment(builder) => {
                let moment = time::moment(i64::from_be_bytes(bytes.try_into().ok()?));
                builder.append_option(moment);
                if moment.is_some() { Read::Value } else { Read::Nulled }
            }
        };
        match read {
            Read::Value => {}
            Read::Nulled => self.losses.nulled += 1,
            Read::Lossy => self.losses.replaced += 1,
        }
        Some(())
    }

    /// The values so far; the reader goes on with the next.
    pub(super) fn finish(&mut self) -> ArrayRef {
        each!(&mut self.values, builder => Arc::new(builder.finish()))
    }

    /// What could not be carried over as it is, since the beginning.
    pub(super) const fn losses(&self) -> Losses {
        self.losses
    }
}

fn append(value: Option<f64>, builder: &mut Float64Builder) -> Read {
    builder.append_option(value);
    if value.is_some() { Read::Value } else { Read::Nulled }
}

fn append_text(bytes: &[u8], builder: &mut StringBuilder) -> Read {
    if let Ok(text) = std::str::from_utf8(bytes) {
        builder.append_value(text);
        Read::Value
    } else {
        builder.append_value(String::from_utf8_lossy(bytes));
        Read::Lossy
    }
}

/// A UUID's text.
fn hyphenated(bytes: [u8; 16]) -> [u8; 36] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut text = [b'-'; 36];
    let mut places = text
        .iter_mut()
        .enumerate()
        .filter_map(|(place, byte)| (!matches!(place, 8 | 13 | 18 | 23)).then_some(byte));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0xF] {
            if let Some(place) = places.next() {
                *place = digit(nibble);
            }
        }
    }
    text
}
