//! One column's values under the staged type.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, Float64Array, StringArray,
    cast::AsArray,
    new_null_array,
    types::{Float64Type, TimestampMicrosecondType},
};
use arrow_schema::DataType;

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
        DataType::Utf8 => column
            .as_string_opt::<i64>()
            .map(|texts| Arc::new(texts.iter().collect::<StringArray>()) as ArrayRef),
        DataType::Binary => column
            .as_binary_opt::<i64>()
            .map(|values| Arc::new(values.iter().collect::<BinaryArray>()) as ArrayRef),
        _ => None,
    };
    same.unwrap_or_else(|| Arc::clone(column))
}
