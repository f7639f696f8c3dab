//! ClickHouse's types: what their values are to Ebb.

use ebb_core::{Column, ColumnKind};

/// How values of a type stand in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    Boolean,
    /// Whole numbers that fit 64 bits with a sign.
    Integer,
    /// Whole numbers of 64 bits without a sign.
    Unsigned,
    /// Numbers whose text is exact.
    Exact,
    /// Floats of 32 bits or less, widened by their shortest text: `0.1` stays `0.1`.
    Single,
    Double,
    Text,
    Unique,
    Date,
    /// Times of day, which may be days long.
    Time,
    /// Seconds since 1970.
    Seconds,
    /// Parts of a second since 1970.
    Moment,
    /// Nested values, read as JSON.
    Nested,
    /// Shapes on a map, read as WKT.
    Shape,
    /// Numbers of a unit.
    Interval,
    /// What only its text tells.
    Textual,
}

/// A type without what says how it is kept, and whether it may be null.
pub(super) fn bare(native: &str) -> &str {
    let inside = |name: &str| native.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(inner) = inside("Nullable").or_else(|| inside("LowCardinality")) {
        return bare(inner);
    }
    // `SimpleAggregateFunction(max, Int64)` is a number; the function may have arguments.
    match inside("SimpleAggregateFunction").and_then(after_first) {
        Some(inner) => bare(inner),
        None => native,
    }
}

/// What follows the first item of a list.
fn after_first(list: &str) -> Option<&str> {
    let mut depth = 0_u32;
    let comma = list.char_indices().find(|(_, one)| {
        match one {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *one == ',' && depth == 0
    });
    let (_, rest) = list.split_at_checked(comma?.0)?;
    Some(rest.trim_start_matches([',', ' ']))
}

/// The handling of a type as the server names it.
pub(super) fn handling(native: &str) -> Handling {
    let name = bare(native);
    match name.split('(').next().unwrap_or_default() {
        "Bool" => Handling::Boolean,
        "Int8" | "Int16" | "Int32" | "Int64" | "UInt8" | "UInt16" | "UInt32" => Handling::Integer,
        "UInt64" => Handling::Unsigned,
        "Int128" | "Int256" | "UInt128" | "UInt256" | "Decimal" | "Decimal32" | "Decimal64"
        | "Decimal128" | "Decimal256" => Handling::Exact,
        "Float32" | "BFloat16" => Handling::Single,
        "Float64" => Handling::Double,
        "String" | "FixedString" | "Enum8" | "Enum16" | "IPv4" | "IPv6" => Handling::Text,
        "UUID" => Handling::Unique,
        "Date" | "Date32" => Handling::Date,
        "Time" | "Time64" => Handling::Time,
        "DateTime" | "DateTime32" => Handling::Seconds,
        "DateTime64" => Handling::Moment,
        "Array" | "Tuple" | "Map" | "Nested" | "JSON" | "Object" | "Variant" | "Dynamic" => {
            Handling::Nested
        }
        "Point" | "Ring" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon"
        | "Geometry" => Handling::Shape,
        interval if interval.starts_with("Interval") => Handling::Interval,
        // Nothing, states of aggregate functions, and what newer versions bring.
        _ => Handling::Textual,
    }
}

/// The type in which a changes table keeps a column.
pub(super) fn kept_as(native: &str) -> String {
    let name = bare(native);
    match handling(native) {
        Handling::Boolean
        | Handling::Integer
        | Handling::Unsigned
        | Handling::Exact
        | Handling::Double
        | Handling::Unique
        | Handling::Date => format!("Nullable({name})"),
        Handling::Single => "Nullable(Float32)".to_owned(),
        Handling::Seconds => "Nullable(DateTime('UTC'))".to_owned(),
        Handling::Moment => format!("Nullable(DateTime64({}, 'UTC'))", digits(name)),
        Handling::Text
        | Handling::Time
        | Handling::Nested
        | Handling::Shape
        | Handling::Interval
        | Handling::Textual => "Nullable(String)".to_owned(),
    }
}

/// How many digits of a second a `DateTime64` has.
fn digits(name: &str) -> &str {
    let inner = name.split_once('(').map_or("3", |(_, inner)| inner);
    inner.split([',', ')']).next().unwrap_or("3")
}

/// A column of a query.
pub(super) fn column(name: &str, native: &str) -> Column {
    let kind = match handling(native) {
        Handling::Boolean => ColumnKind::Boolean,
        Handling::Integer => ColumnKind::Integer,
        Handling::Unsigned | Handling::Exact => ColumnKind::Decimal,
        Handling::Single | Handling::Double => ColumnKind::Float,
        Handling::Text
        | Handling::Unique
        | Handling::Shape
        | Handling::Interval
        | Handling::Textual => ColumnKind::Text,
        Handling::Date => ColumnKind::Date,
        Handling::Time => ColumnKind::Time,
        Handling::Seconds | Handling::Moment => ColumnKind::Timestamp,
        Handling::Nested => ColumnKind::Json,
    };
    Column::new(name, kind, native)
}

#[cfg(test)]
mod tests {
    use super::{bare, handling, kept_as};

    #[test]
    fn a_type_is_what_is_inside() {
        for (native, expected) in [
            ("Int32", "Int32"),
            ("LowCardinality(Nullable(String))", "String"),
            ("SimpleAggregateFunction(max, Nullable(Int64))", "Int64"),
            ("SimpleAggregateFunction(groupArrayArray(2, 3), Array(Int64))", "Array(Int64)"),
            ("Array(Nullable(Int8))", "Array(Nullable(Int8))"),
        ] {
            assert_eq!(bare(native), expected);
        }
    }

    #[test]
    fn types_are_kept_so_that_they_may_be_null() {
        let natives = [
            "Bool",
            "UInt64",
            "Decimal(76, 30)",
            "BFloat16",
            "LowCardinality(String)",
            "FixedString(3)",
            "DateTime('Europe/Berlin')",
            "Nullable(DateTime64(9))",
            "DateTime64(3, 'Asia/Tokyo')",
            "Time64(3)",
            "Tuple(a Int32)",
            "Point",
            "IntervalDay",
            "Nullable(Nothing)",
        ];
        let told =
            natives.map(|native| format!("{native}: {:?} {}", handling(native), kept_as(native)));
        insta::assert_snapshot!(told.join("\n"));
    }
}
