//! Databricks' types: what their values are to Ebb.

use ebb_core::{Column, ColumnKind};

use super::answer::ResultColumn;

/// How values of a type stand in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    Boolean,
    /// Whole numbers of at most 64 bits.
    Integer,
    /// Numbers whose text is exact.
    Exact,
    /// 32-bit floats, widened by their shortest text: `0.1` stays `0.1`.
    Single,
    Double,
    Text,
    /// Text that other text may be equal to.
    Collated,
    Binary,
    Date,
    Time,
    Moment,
    LocalMoment,
    /// Nested values, read as JSON.
    Nested,
    /// Shapes on a map, read as WKT.
    Shape,
    /// What only its text tells; some of it cannot be kept in a table.
    Textual,
}

/// The handling of a type as SQL writes it.
pub(super) fn handling(native: &str) -> Handling {
    let name = native.split(['(', '<', ' ']).next().unwrap_or_default();
    match name.to_ascii_uppercase().as_str() {
        "BOOLEAN" => Handling::Boolean,
        "TINYINT" | "SMALLINT" | "INT" | "BIGINT" => Handling::Integer,
        "DECIMAL" => Handling::Exact,
        "FLOAT" => Handling::Single,
        "DOUBLE" => Handling::Double,
        "STRING" | "VARCHAR" | "CHAR" if native.to_ascii_uppercase().contains(" COLLATE ") => {
            Handling::Collated
        }
        "STRING" | "VARCHAR" | "CHAR" => Handling::Text,
        "BINARY" => Handling::Binary,
        "DATE" => Handling::Date,
        "TIME" => Handling::Time,
        "TIMESTAMP" => Handling::Moment,
        "TIMESTAMP_NTZ" => Handling::LocalMoment,
        "ARRAY" | "MAP" | "STRUCT" | "VARIANT" => Handling::Nested,
        "GEOGRAPHY" | "GEOMETRY" => Handling::Shape,
        // INTERVAL, VOID, and what newer versions bring.
        _ => Handling::Textual,
    }
}

/// A column of a result; its type's name is one that a cast understands.
pub(super) fn column(column: &ResultColumn) -> Column {
    let kind = match handling(&column.type_text) {
        Handling::Boolean => ColumnKind::Boolean,
        Handling::Integer => ColumnKind::Integer,
        Handling::Exact => ColumnKind::Decimal,
        Handling::Single | Handling::Double => ColumnKind::Float,
        Handling::Text | Handling::Collated | Handling::Shape | Handling::Textual => {
            ColumnKind::Text
        }
        Handling::Binary => ColumnKind::Binary,
        Handling::Date => ColumnKind::Date,
        Handling::Time => ColumnKind::Time,
        Handling::Moment => ColumnKind::Timestamp,
        Handling::LocalMoment => ColumnKind::LocalTimestamp,
        Handling::Nested => ColumnKind::Json,
    };
    Column::new(&column.name, kind, &column.type_text)
}

#[cfg(test)]
pub(super) fn of(native: &str) -> Column {
    column(&ResultColumn { name: "x".to_owned(), type_text: native.to_owned() })
}
