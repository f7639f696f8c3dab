//! Snowflake's types: what their values are to Ebb.

use ebb_core::{Column, ColumnKind};

use super::answer::RowType;

/// Whole numbers of so many digits fit 64 bits.
const DIGITS: u32 = 18;

/// A column of a result; its type's name is one that a cast understands.
pub(super) fn column(row: &RowType) -> Column {
    let scale = row.scale.unwrap_or(0);
    let moment = |name: &str| format!("{name}({})", row.scale.unwrap_or(9));
    let (kind, native) = match row.native.to_ascii_lowercase().as_str() {
        "fixed" => {
            let precision = row.precision.unwrap_or(38);
            let kind = match scale {
                0 if precision <= DIGITS => ColumnKind::Integer,
                _ => ColumnKind::Decimal,
            };
            (kind, format!("NUMBER({precision},{scale})"))
        }
        "real" | "float" | "double" => (ColumnKind::Float, "FLOAT".to_owned()),
        "text" | "string" | "varchar" => (ColumnKind::Text, "VARCHAR".to_owned()),
        "binary" => (ColumnKind::Binary, "BINARY".to_owned()),
        "boolean" => (ColumnKind::Boolean, "BOOLEAN".to_owned()),
        "date" => (ColumnKind::Date, "DATE".to_owned()),
        "time" => (ColumnKind::Time, moment("TIME")),
        "timestamp_ntz" => (ColumnKind::LocalTimestamp, moment("TIMESTAMP_NTZ")),
        "timestamp_ltz" => (ColumnKind::Timestamp, moment("TIMESTAMP_LTZ")),
        "timestamp_tz" => (ColumnKind::Timestamp, moment("TIMESTAMP_TZ")),
        nested @ ("variant" | "object" | "array" | "map" | "vector") => {
            (ColumnKind::Json, nested.to_ascii_uppercase())
        }
        // GEOGRAPHY and GEOMETRY, whose text is WKT, and what newer versions bring.
        other => (ColumnKind::Text, other.to_ascii_uppercase()),
    };
    Column::new(&row.name, kind, native)
}

/// How values of a type stand in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// As they are.
    Plain,
    /// Moments: in a checksum by their text.
    Moment,
    /// Bytes: in a checksum by their hexadecimal digits.
    Bytes,
    /// Nested values: read as JSON.
    Nested,
    /// Shapes on a map: read as WKT.
    Shape,
    /// What only its text tells.
    Textual,
}

/// The handling of a column by the name that [`column()`] gave its type.
pub(super) fn handling(column: &Column) -> Handling {
    match column.native.as_str() {
        "VARCHAR" | "FLOAT" | "BOOLEAN" => Handling::Plain,
        number if number.starts_with("NUMBER(") => Handling::Plain,
        "DATE" => Handling::Moment,
        moment if moment.starts_with("TIME") => Handling::Moment,
        "BINARY" => Handling::Bytes,
        "VARIANT" | "OBJECT" | "ARRAY" => Handling::Nested,
        "GEOGRAPHY" | "GEOMETRY" => Handling::Shape,
        _ if column.kind == ColumnKind::Json => Handling::Nested,
        _ => Handling::Textual,
    }
}
