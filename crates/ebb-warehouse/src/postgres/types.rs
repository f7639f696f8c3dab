//! The server's types: what their values are to Ebb, and how they are hashed, kept and read.

use ebb_core::{Column, ColumnKind};
use tokio_postgres::types::{Kind, Type};

use crate::pgwire::quoted;

/// What the values of a type are.
pub(super) fn kind(native: &Type) -> ColumnKind {
    match *native {
        Type::BOOL => ColumnKind::Boolean,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => ColumnKind::Integer,
        Type::FLOAT4 | Type::FLOAT8 => ColumnKind::Float,
        Type::NUMERIC | Type::MONEY => ColumnKind::Decimal,
        Type::BYTEA => ColumnKind::Binary,
        Type::DATE => ColumnKind::Date,
        Type::TIME | Type::TIMETZ => ColumnKind::Time,
        Type::TIMESTAMP => ColumnKind::LocalTimestamp,
        Type::TIMESTAMPTZ => ColumnKind::Timestamp,
        Type::JSON | Type::JSONB | Type::RECORD => ColumnKind::Json,
        _ if matches!(native.kind(), Kind::Array(_) | Kind::Composite(_)) => ColumnKind::Json,
        // Domains never come: the server describes them as what they are made of.
        _ => ColumnKind::Text,
    }
}

/// The type's name, such that a cast understands it whatever the search path.
pub(super) fn name(native: &Type) -> String {
    if let Kind::Array(element) = native.kind() {
        return format!("{}[]", name(element));
    }
    match (native.schema(), native.name()) {
        // Without quotes these are others: `char(1)` and `bit(1)`.
        ("pg_catalog", special @ ("char" | "bit")) => format!("pg_catalog.{}", quoted(special)),
        ("pg_catalog", plain) => plain.to_owned(),
        (schema, name) => format!("{}.{}", quoted(schema), quoted(name)),
    }
}

/// How a type behaves in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// Hashed and read as it is.
    Plain,
    /// Text whose equality must not depend on a collation.
    Characters,
    /// Read as it is; has no hash, or one that takes values for equal that differ as text.
    TextualHash,
    /// Blanks at the end mean nothing.
    Padded,
    /// A number of the catalog.
    Oid,
    /// An amount, whose text depends on the server's locale.
    Money,
    /// An address, which prints its mask only if there is one.
    Address,
    /// Arrays and composite types: JSON.
    Structured,
    /// Whatever prints as text: enums, ranges, intervals, bits, extensions' types.
    Textual,
}

/// How values of a column are handled, by the name that [`name`] gave its type.
pub(super) fn handling(column: &Column) -> Handling {
    match column.native.as_str() {
        "bool" | "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "bytea" | "uuid"
        | "date" | "time" | "timetz" | "timestamp" | "timestamptz" | "jsonb" => Handling::Plain,
        "text" | "varchar" | "name" => Handling::Characters,
        "json" => Handling::TextualHash,
        "bpchar" => Handling::Padded,
        "oid" => Handling::Oid,
        "money" => Handling::Money,
        "inet" => Handling::Address,
        _ if column.kind == ColumnKind::Json => Handling::Structured,
        _ => Handling::Textual,
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::ColumnKind;
    use tokio_postgres::types::Type;

    use super::{kind, name};

    #[test]
    fn names_are_those_that_a_cast_understands() {
        let names =
            [Type::INT8, Type::TEXT_ARRAY, Type::CHAR, Type::BIT, Type::TSTZ_RANGE, Type::BPCHAR]
                .map(|native| name(&native));
        assert_eq!(
            names,
            ["int8", "text[]", "pg_catalog.\"char\"", "pg_catalog.\"bit\"", "tstzrange", "bpchar"]
        );
    }

    #[test]
    fn what_is_not_known_is_text() {
        assert_eq!(kind(&Type::INTERVAL), ColumnKind::Text);
        assert_eq!(kind(&Type::INET), ColumnKind::Text);
        assert_eq!(kind(&Type::INT4_ARRAY), ColumnKind::Json);
    }
}
