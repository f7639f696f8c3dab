//! What DuckDB's types are to Ebb.

use ebb_core::{Column, ColumnKind};

/// How values of a column are staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    Boolean,
    /// Whole numbers that fit 64 bits with a sign.
    Integer,
    /// Numbers whose text is exact.
    Exact,
    /// 32-bit floats, widened by their shortest text: `0.1` stays `0.1`.
    Single,
    Double,
    Text,
    /// Anything whose text is all there is to say.
    AsText,
    Binary,
    Date,
    Time,
    Moment,
    LocalMoment,
    /// Nested values, as JSON.
    Nested,
    Json,
}

/// The handling of a type by its name as the engine describes it.
pub(super) fn handling(native: &str) -> Handling {
    let nested = ["STRUCT(", "MAP(", "UNION(", "ROW("];
    if native.ends_with(']') || nested.iter().any(|prefix| native.starts_with(prefix)) {
        return Handling::Nested;
    }
    match native {
        "BOOLEAN" => Handling::Boolean,
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "UTINYINT" | "USMALLINT" | "UINTEGER" => {
            Handling::Integer
        }
        "UBIGINT" | "HUGEINT" | "UHUGEINT" | "BIGNUM" => Handling::Exact,
        decimal if decimal.starts_with("DECIMAL(") => Handling::Exact,
        "FLOAT" => Handling::Single,
        "DOUBLE" => Handling::Double,
        "VARCHAR" => Handling::Text,
        "BLOB" => Handling::Binary,
        "DATE" => Handling::Date,
        "TIME" => Handling::Time,
        "TIMESTAMP WITH TIME ZONE" => Handling::Moment,
        "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" => Handling::LocalMoment,
        "JSON" => Handling::Json,
        // UUID, ENUM, INTERVAL, BIT, TIME WITH TIME ZONE, TIMESTAMP_NS, whose nanoseconds a moment
        // would lose, and what newer versions bring.
        _ => Handling::AsText,
    }
}

/// A column of a type.
pub(super) fn column(name: &str, native: &str) -> Column {
    let kind = match handling(native) {
        Handling::Boolean => ColumnKind::Boolean,
        Handling::Integer => ColumnKind::Integer,
        Handling::Exact => ColumnKind::Decimal,
        Handling::Single | Handling::Double => ColumnKind::Float,
        Handling::Text | Handling::AsText => ColumnKind::Text,
        Handling::Binary => ColumnKind::Binary,
        Handling::Date => ColumnKind::Date,
        Handling::Time => ColumnKind::Time,
        Handling::Moment => ColumnKind::Timestamp,
        Handling::LocalMoment => ColumnKind::LocalTimestamp,
        Handling::Nested | Handling::Json => ColumnKind::Json,
    };
    Column::new(name, kind, native)
}
