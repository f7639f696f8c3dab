//! Snowflake's own types in Arrow, whose fields say beside their physical type what they are.
//!
//! Numbers are whole ones of any width, or decimals, with a scale; they change their width from batch to
//! batch. Times are whole numbers with a scale. Moments are that too, or seconds with nanoseconds beside,
//! and perhaps a time zone's offset that they do not depend on. All else is as Arrow has it.

use std::{fmt::Write, sync::Arc};

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
    builder::StringBuilder,
    cast::AsArray,
    types::{Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type},
};
use arrow_schema::{DataType, Field};
use ebb_core::{Column, ColumnKind};

use crate::text_rows::{json, time_of_day};

/// Digits of a nanosecond's fraction.
const NANOS: u32 = 9;

/// The columns of a batch in types that stages know; what is not as it should be stays as it is. `columns`
/// are those after the four of the stage itself.
pub(super) fn plain(batch: &RecordBatch, columns: &[Column]) -> Vec<ArrayRef> {
    let own = [ColumnKind::Integer, ColumnKind::Integer, ColumnKind::Text, ColumnKind::Text];
    let kinds = own.into_iter().chain(columns.iter().map(|column| column.kind));
    let schema = batch.schema();
    let given = batch.columns().iter().zip(schema.fields());
    given
        .zip(kinds)
        .map(|((array, field), kind)| {
            value(array, scale(field), kind).unwrap_or_else(|| Arc::clone(array))
        })
        .collect()
}

/// How many of a number's digits are a fraction.
fn scale(field: &Field) -> u32 {
    field.metadata().get("scale").and_then(|scale| scale.parse().ok()).unwrap_or(0)
}

/// The values as a column of the kind has them; none if they are so already, or of another kind.
fn value(array: &ArrayRef, scale: u32, kind: ColumnKind) -> Option<ArrayRef> {
    match kind {
        ColumnKind::Integer => whole(array),
        ColumnKind::Decimal | ColumnKind::Text => number_text(array, scale),
        ColumnKind::Time => times(array, scale),
        ColumnKind::Timestamp | ColumnKind::LocalTimestamp => moments(array, scale),
        ColumnKind::Json => valid_json(array),
        ColumnKind::Boolean | ColumnKind::Float | ColumnKind::Binary | ColumnKind::Date => None,
    }
}

/// Whole numbers under any width.
fn numbers<'a>(array: &'a ArrayRef) -> Option<Box<dyn Iterator<Item = Option<i128>> + 'a>> {
    fn widened<'a, T: ArrowPrimitiveType<Native: Into<i128>>>(
        array: &'a ArrayRef,
    ) -> Option<Box<dyn Iterator<Item = Option<i128>> + 'a>> {
        let numbers = array.as_primitive_opt::<T>()?;
        Some(Box::new(numbers.iter().map(|number| number.map(Into::into))))
    }
    widened::<Int64Type>(array)
        .or_else(|| widened::<Int32Type>(array))
        .or_else(|| widened::<Int16Type>(array))
        .or_else(|| widened::<Int8Type>(array))
        .or_else(|| widened::<Decimal128Type>(array))
}

fn whole(array: &ArrayRef) -> Option<ArrayRef> {
    if array.data_type() == &DataType::Int64 {
        return None;
    }
    let numbers = numbers(array)?;
    // A number that does not fit makes the column one of another type, which is refused.
    let fitting = numbers.map(|number| number.map(i64::try_from).transpose());
    let fitting: Result<Int64Array, _> = fitting.collect();
    Some(Arc::new(fitting.ok()?))
}

/// Numbers as text, with all digits of their scale.
fn number_text(array: &ArrayRef, scale: u32) -> Option<ArrayRef> {
    let numbers = numbers(array)?;
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 8);
    for number in numbers {
        match number {
            Some(number) => {
                write_decimal(&mut texts, number, scale);
                texts.append_value("");
            }
            None => texts.append_null(),
        }
    }
    Some(Arc::new(texts.finish()))
}

fn write_decimal(out: &mut StringBuilder, number: i128, scale: u32) {
    let written = match 10_u128.checked_pow(scale).filter(|_| scale > 0) {
        None => write!(out, "{number}"),
        Some(unit) => {
            let (sign, digits) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
            let (whole, fraction, width) = (digits / unit, digits % unit, scale as usize);
            write!(out, "{sign}{whole}.{fraction:0width$}")
        }
    };
    written.expect("a text takes what is written to it");
}

/// Times of day as text.
fn times(array: &ArrayRef, scale: u32) -> Option<ArrayRef> {
    let (unit, width) = (10_i128.checked_pow(scale)?, scale as usize);
    let texts = numbers(array)?.map(|number| {
        let Some(number) = number else { return Some(None) };
        let seconds = u32::try_from(number / unit).ok()?;
        let fraction = number % unit;
        Some(Some(time_of_day(seconds, &format!("{fraction:0width$}"))))
    });
    let texts: Option<StringArray> = texts.collect();
    Some(Arc::new(texts?))
}

/// Moments in microseconds. What is finer is cut off towards 1970, as it is from the text of moments.
fn moments(array: &ArrayRef, scale: u32) -> Option<ArrayRef> {
    let finer = 10_i128.checked_pow(NANOS.checked_sub(scale)?)?;
    let moments: Option<TimestampMicrosecondArray> = match array.as_struct_opt() {
        None => numbers(array)?.map(|number| micros(number.map(|number| number * finer))).collect(),
        Some(parts) => {
            let epoch = parts.column_by_name("epoch")?;
            let valid = |row: usize| parts.is_valid(row);
            match parts.column_by_name("fraction") {
                Some(fraction) => {
                    let both = numbers(epoch)?.zip(numbers(fraction)?).enumerate();
                    let nanos = |(seconds, nanos)| Some(seconds? * 1_000_000_000 + nanos?);
                    both.map(|(row, both)| micros(nanos(both).filter(|_| valid(row)))).collect()
                }
                // A zone stands beside whole numbers.
                None => numbers(epoch)?
                    .enumerate()
                    .map(|(row, number)| {
                        micros(number.filter(|_| valid(row)).map(|number| number * finer))
                    })
                    .collect(),
            }
        }
    };
    Some(Arc::new(moments?))
}

/// Microseconds of nanoseconds; none at all if they do not fit.
#[expect(clippy::option_option, reason = "null is a value here")]
fn micros(nanos: Option<i128>) -> Option<Option<i64>> {
    nanos.map(|nanos| i64::try_from(nanos / 1000)).transpose().ok()
}

/// Text of JSON, in which every value is one.
fn valid_json(array: &ArrayRef) -> Option<ArrayRef> {
    let texts = array.as_string_opt::<i32>()?;
    if texts.iter().flatten().all(|text| matches!(json(text), std::borrow::Cow::Borrowed(_))) {
        return None;
    }
    let texts: StringArray = texts.iter().map(|text| text.map(json)).collect();
    Some(Arc::new(texts))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, sync::Arc};

    use arrow_array::{
        Array, ArrayRef, Decimal128Array, Int8Array, Int32Array, Int64Array, RecordBatch,
        StringArray, StructArray,
    };
    use arrow_buffer::NullBuffer;
    use arrow_ipc::writer::StreamWriter;
    use arrow_schema::{Field, Fields, Schema};
    use bytes::Bytes;
    use ebb_core::{Code, Column, ColumnKind, RecordSet};

    use crate::snowflake::rows::Rows;

    /// Seconds with nanoseconds and perhaps an offset, the last of them null.
    fn parts(names: &[&str], values: &[ArrayRef]) -> ArrayRef {
        let fields: Fields = names
            .iter()
            .zip(values)
            .map(|(name, values)| Field::new(*name, values.data_type().clone(), false))
            .collect();
        let nulls = NullBuffer::from(vec![true, true, false]);
        Arc::new(StructArray::new(fields, values.to_vec(), Some(nulls)))
    }

    /// A stream as the service writes it, after the columns that are Ebb's own.
    fn stream(columns: &[(&str, u32, ArrayRef)]) -> Bytes {
        let own: [(&str, u32, ArrayRef); 4] = [
            ("SEQ", 0, Arc::new(Int8Array::from(vec![1, 2, 3]))),
            ("OP", 0, Arc::new(Int8Array::from(vec![1, 1, 1]))),
            ("RECORD_ID", 0, Arc::new(Int8Array::from(vec![7, 8, 9]))),
            ("CHECKSUM", 0, Arc::new(StringArray::from(vec!["x", "y", "z"]))),
        ];
        let (fields, arrays): (Vec<_>, Vec<_>) = own
            .iter()
            .chain(columns)
            .map(|(name, scale, array)| {
                let said = HashMap::from([("scale".to_owned(), scale.to_string())]);
                let field = Field::new(*name, array.data_type().clone(), true).with_metadata(said);
                (field, Arc::clone(array))
            })
            .unzip();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        bytes.into()
    }

    fn told(rows: Rows, columns: &[Column]) -> Vec<String> {
        let batches = rows.batches(columns).unwrap();
        let set = RecordSet::new(&batches[0], "m".into(), "t".into()).unwrap();
        set.iter()
            .map(|record| format!("{} {}", record.record_id(), record.properties().to_json()))
            .collect()
    }

    /// The same three rows in both forms.
    struct Cases {
        columns: Vec<Column>,
        arrays: Vec<(&'static str, u32, ArrayRef)>,
        json: &'static str,
    }

    fn cases() -> Cases {
        let numbers = |numbers: [Option<i128>; 3], precision, scale| {
            let decimals = Decimal128Array::from(numbers.to_vec());
            Arc::new(decimals.with_precision_and_scale(precision, scale).unwrap()) as ArrayRef
        };
        let seconds: ArrayRef = Arc::new(Int64Array::from(vec![-1, 253_402_300_799, 0]));
        let nanos: ArrayRef = Arc::new(Int32Array::from(vec![876_543_211, 999_999_999, 0]));
        let zones: ArrayRef = Arc::new(Int32Array::from(vec![1560, 1440, 0]));
        let millis: ArrayRef = Arc::new(Int64Array::from(vec![-1, 1_767_348_672_123, 0]));
        let kinds = [
            ("small", ColumnKind::Integer),
            ("big", ColumnKind::Decimal),
            ("exact", ColumnKind::Decimal),
            ("price", ColumnKind::Decimal),
            ("clock", ColumnKind::Time),
            ("fine", ColumnKind::Time),
            ("local", ColumnKind::LocalTimestamp),
            ("at", ColumnKind::Timestamp),
            ("coarse", ColumnKind::LocalTimestamp),
            ("zoned", ColumnKind::Timestamp),
            ("doc", ColumnKind::Json),
        ];
        let columns = kinds.map(|(name, kind)| Column::new(name, kind, "")).to_vec();
        let arrays: Vec<(&str, u32, ArrayRef)> = vec![
            ("small", 0, numbers([Some(999_999_999), Some(-1), None], 38, 0)),
            ("big", 0, numbers([Some(i128::from(i64::MAX) * 10), Some(0), None], 38, 0)),
            ("exact", 10, numbers([Some(-5_000_000_000), Some(1), None], 38, 10)),
            ("price", 2, Arc::new(Int8Array::from(vec![Some(-105), Some(5), None]))),
            ("clock", 0, Arc::new(Int32Array::from(vec![Some(36_672), Some(0), None]))),
            (
                "fine",
                9,
                Arc::new(Int64Array::from(vec![Some(1_500), Some(86_399_120_000_000), None])),
            ),
            (
                "local",
                9,
                parts(&["epoch", "fraction"], &[Arc::clone(&seconds), Arc::clone(&nanos)]),
            ),
            (
                "at",
                9,
                parts(&["epoch", "fraction", "timezone"], &[seconds, nanos, Arc::clone(&zones)]),
            ),
            (
                "coarse",
                3,
                Arc::new(Int64Array::from(vec![Some(-1), Some(1_767_348_672_123), None])),
            ),
            ("zoned", 3, parts(&["epoch", "timezone"], &[millis, zones])),
            (
                "doc",
                0,
                Arc::new(StringArray::from(vec![Some("{\"a\": 1}"), Some("[undefined]"), None])),
            ),
        ];
        let json = r#"[
            ["1","1","7","x","999999999","92233720368547758070","-0.5000000000","-1.05","36672","0.000001500",
             "-0.123456789","-0.123456789 1560","-0.001","-0.001 1560","{\"a\": 1}"],
            ["2","1","8","y","-1","0","0.0000000001","0.05","0","86399.120000000",
             "253402300799.999999999","253402300799.999999999 1440","1767348672.123","1767348672.123 1440","[undefined]"],
            ["3","1","9","z",null,null,null,null,null,null,null,null,null,null,null]
        ]"#;
        Cases { columns, arrays, json }
    }

    #[test]
    fn values_are_the_same_in_arrow_and_in_json() {
        let Cases { columns, arrays, json } = cases();
        let as_arrow = told(Rows::Arrow(stream(&arrays)), &columns);
        let as_json = told(Rows::List(Bytes::from_static(json.as_bytes())), &columns);
        assert_eq!(as_arrow, as_json);
        insta::assert_snapshot!(as_arrow.join("\n"), @r#"
        7 {"small":999999999,"big":92233720368547758070,"exact":-0.5000000000,"price":-1.05,"clock":"10:11:12","fine":"00:00:00.0000015","local":"1969-12-31T23:59:59.876544","at":"1969-12-31T23:59:59.876544Z","coarse":"1969-12-31T23:59:59.999","zoned":"1969-12-31T23:59:59.999Z","doc":{"a":1}}
        8 {"small":-1,"big":0,"exact":0.0000000001,"price":0.05,"clock":"00:00:00","fine":"23:59:59.12","local":"9999-12-31T23:59:59.999999","at":"9999-12-31T23:59:59.999999Z","coarse":"2026-01-02T10:11:12.123","zoned":"2026-01-02T10:11:12.123Z","doc":"[undefined]"}
        9 {"small":null,"big":null,"exact":null,"price":null,"clock":null,"fine":null,"local":null,"at":null,"coarse":null,"zoned":null,"doc":null}
        "#);
    }

    #[test]
    fn values_of_another_type_are_refused() {
        let column = |kind| [Column::new("x", kind, "")];
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        let wide: ArrayRef = Arc::new(Decimal128Array::from(vec![i128::MAX, 0, 0]));
        for (kind, array) in [
            (ColumnKind::Integer, &text),
            (ColumnKind::Integer, &wide),
            (ColumnKind::Timestamp, &text),
            (ColumnKind::Boolean, &text),
        ] {
            let rows = Rows::Arrow(stream(&[("x", 0, Arc::clone(array))]));
            let failure = rows.batches(&column(kind)).unwrap_err();
            assert_eq!(failure.code, Code::SourceQuery, "{kind:?}");
        }
    }

    #[test]
    fn no_bytes_are_no_rows() {
        assert_eq!(Rows::Arrow(Bytes::new()).batches(&[]).unwrap(), Vec::new());
        assert_eq!(Rows::Arrow(Bytes::new()).text().unwrap(), Vec::<Vec<_>>::new());
    }
}
