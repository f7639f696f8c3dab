//! BigQuery's types: what their values are to Ebb.

use ebb_core::{Column, ColumnKind};

use super::answer::Field;

/// A column of a result; its type's name is one that a cast understands.
pub(super) fn column(field: &Field) -> Column {
    let native = native(field);
    let kind = match native.as_str() {
        "INT64" => ColumnKind::Integer,
        "FLOAT64" => ColumnKind::Float,
        "NUMERIC" | "BIGNUMERIC" => ColumnKind::Decimal,
        "BOOL" => ColumnKind::Boolean,
        "BYTES" => ColumnKind::Binary,
        "DATE" => ColumnKind::Date,
        "TIME" => ColumnKind::Time,
        "DATETIME" => ColumnKind::LocalTimestamp,
        "TIMESTAMP" => ColumnKind::Timestamp,
        "JSON" => ColumnKind::Json,
        nested if is_nested(nested) => ColumnKind::Json,
        // GEOGRAPHY, whose text is WKT, INTERVAL, RANGE, and what newer versions bring.
        _ => ColumnKind::Text,
    };
    Column::new(&field.name, kind, native)
}

fn native(field: &Field) -> String {
    let one = match field.native.to_ascii_uppercase().as_str() {
        "INTEGER" => "INT64".to_owned(),
        "FLOAT" => "FLOAT64".to_owned(),
        "BOOLEAN" => "BOOL".to_owned(),
        "RECORD" | "STRUCT" => {
            let fields = field.fields.iter();
            let fields = fields.map(|field| format!("`{}` {}", field.name, native(field)));
            format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        "RANGE" => {
            let element = field.range_element_type.as_ref();
            format!("RANGE<{}>", element.map_or("DATE", |element| &element.native))
        }
        other => other.to_owned(),
    };
    if field.mode == "REPEATED" { format!("ARRAY<{one}>") } else { one }
}

fn is_nested(native: &str) -> bool {
    native.starts_with("STRUCT<") || native.starts_with("ARRAY<")
}

/// How values of a type stand in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// As they are.
    Plain,
    /// Moments: read by their text.
    Moment,
    /// Bytes: read by their hexadecimal digits.
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
        "INT64" | "FLOAT64" | "NUMERIC" | "BIGNUMERIC" | "BOOL" | "STRING" | "DATE" | "TIME"
        | "DATETIME" => Handling::Plain,
        "TIMESTAMP" => Handling::Moment,
        "BYTES" => Handling::Bytes,
        "GEOGRAPHY" => Handling::Shape,
        "JSON" => Handling::Nested,
        nested if is_nested(nested) => Handling::Nested,
        _ => Handling::Textual,
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, column};

    #[test]
    fn every_type_has_a_name_that_a_cast_understands() {
        let fields: Vec<Field> = serde_json::from_value(serde_json::json!([
            { "name": "a", "type": "INTEGER", "mode": "NULLABLE" },
            { "name": "b", "type": "FLOAT" },
            { "name": "c", "type": "BOOLEAN", "mode": "REQUIRED" },
            { "name": "d", "type": "BIGNUMERIC", "precision": "40", "scale": "2" },
            { "name": "e", "type": "STRING", "maxLength": "7" },
            { "name": "f", "type": "TIMESTAMP", "mode": "REPEATED" },
            { "name": "g", "type": "RECORD", "mode": "REPEATED", "fields": [
                { "name": "x y", "type": "INTEGER" },
                { "name": "z", "type": "RECORD", "fields": [{ "name": "q", "type": "STRING", "mode": "REPEATED" }] },
            ] },
            { "name": "h", "type": "RANGE", "rangeElementType": { "type": "DATETIME" } },
            { "name": "i", "type": "GEOGRAPHY" },
            { "name": "j", "type": "INTERVAL" },
            { "name": "k", "type": "DATETIME" },
        ]))
        .unwrap();
        let told = fields.iter().map(|field| {
            let column = column(field);
            format!("{}: {} {}", column.name, column.kind, column.native)
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
        a: integer INT64
        b: float FLOAT64
        c: boolean BOOL
        d: decimal BIGNUMERIC
        e: text STRING
        f: json ARRAY<TIMESTAMP>
        g: json ARRAY<STRUCT<`x y` INT64, `z` STRUCT<`q` ARRAY<STRING>>>>
        h: text RANGE<DATETIME>
        i: text GEOGRAPHY
        j: text INTERVAL
        k: local_timestamp DATETIME
        ");
    }
}
