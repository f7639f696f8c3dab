//! One column's values under the staged type.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, Float64Array, PrimitiveArray, StringArray,
    cast::AsArray,
    new_null_array,
    types::{
        Decimal128Type, Decimal256Type, DecimalType, Float64Type, Int64Type, Time64MicrosecondType,
        TimestampMicrosecondType,
    },
};
use arrow_schema::DataType;
use jiff::{SignedDuration, civil::Time};

/// Text of values whose staged form it is: identifiers that are whole numbers, exact numbers, times of day.
fn text(column: &ArrayRef) -> Option<ArrayRef> {
    let texts: StringArray = if let Some(texts) = column.as_string_opt::<i64>() {
        texts.iter().collect()
    } else if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        numbers.iter().map(|number| number.map(|number| number.to_string())).collect()
    } else if let Some(numbers) = column.as_primitive_opt::<Decimal128Type>() {
        decimals(numbers)
    } else if let Some(numbers) = column.as_primitive_opt::<Decimal256Type>() {
        decimals(numbers)
    } else {
        let times = column.as_primitive_opt::<Time64MicrosecondType>()?;
        times.iter().map(|time| time.and_then(time_of_day)).collect()
    };
    Some(Arc::new(texts))
}

/// Exact numbers by their digits, without zeros that say nothing.
fn decimals<T: DecimalType>(numbers: &PrimitiveArray<T>) -> StringArray {
    let digits = |row| {
        let digits = numbers.value_as_string(row);
        if digits.contains('.') {
            digits.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            digits
        }
    };
    (0..numbers.len()).map(|row| numbers.is_valid(row).then(|| digits(row))).collect()
}

/// A time of day from microseconds since midnight, as ISO 8601 writes it.
fn time_of_day(micros: i64) -> Option<String> {
    let since_midnight = SignedDuration::from_micros(micros);
    Time::midnight().checked_add(since_midnight).ok().map(|time| time.to_string())
}

/// The same values under the staged type, where they are of its kind; otherwise the column as it is.
pub(super) fn typed(column: &ArrayRef, wanted: &DataType) -> ArrayRef {
    if column.data_type() == &DataType::Null {
        return new_null_array(wanted, column.len());
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "other staged types have one form alone")]
    let same = match wanted {
        // The zone that moments are written in says nothing about the moments.
        DataType::Timestamp(_, zone) => column
            .as_primitive_opt::<TimestampMicrosecondType>()
            .map(|moments| Arc::new(moments.clone().with_timezone_opt(zone.clone())) as ArrayRef),
        DataType::Float64 => {
            let numbers = column.as_primitive_opt::<Float64Type>();
            numbers.filter(|numbers| numbers.values().iter().any(|one| !one.is_finite())).map(
                |numbers| {
                    let finite = numbers.iter().map(|one| one.filter(|one| one.is_finite()));
                    Arc::new(finite.collect::<Float64Array>()) as ArrayRef
                },
            )
        }
        DataType::Utf8 => text(column),
        DataType::Binary => column
            .as_binary_opt::<i64>()
            .map(|values| Arc::new(values.iter().collect::<BinaryArray>()) as ArrayRef),
        _ => None,
    };
    same.unwrap_or_else(|| Arc::clone(column))
}
