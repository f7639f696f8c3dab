//! Redshift's types: what their values are to Ebb, and how they are hashed, kept and read.

use ebb_core::{Column, ColumnKind};
use tokio_postgres::types::Type;

/// The type of text that every value fits into; `text` and `varchar` alone hold 256 bytes.
pub(super) const LONGEST_TEXT: &str = "varchar(65535)";

/// A column of a query's result. Its native type is what a cast understands, with length or precision:
/// without them a number loses its fraction, and text its end.
pub(super) fn column(name: &str, native: &Type, modifier: i32) -> Column {
    let (kind, native) = kind_and_name(native, modifier);
    Column::new(name, kind, native)
}

fn kind_and_name(native: &Type, modifier: i32) -> (ColumnKind, String) {
    let (kind, name) = match *native {
        Type::BOOL => (ColumnKind::Boolean, "boolean"),
        Type::INT2 => (ColumnKind::Integer, "smallint"),
        Type::INT4 => (ColumnKind::Integer, "integer"),
        Type::INT8 => (ColumnKind::Integer, "bigint"),
        Type::FLOAT4 => (ColumnKind::Float, "real"),
        Type::FLOAT8 => (ColumnKind::Float, "double precision"),
        Type::NUMERIC => return (ColumnKind::Decimal, numeric(modifier)),
        Type::VARCHAR => return (ColumnKind::Text, sized("varchar", modifier, LONGEST_TEXT)),
        Type::BPCHAR => return (ColumnKind::Text, sized("char", modifier, "char(4096)")),
        Type::DATE => (ColumnKind::Date, "date"),
        Type::TIME => (ColumnKind::Time, "time"),
        Type::TIMETZ => (ColumnKind::Time, "timetz"),
        Type::TIMESTAMP => (ColumnKind::LocalTimestamp, "timestamp"),
        Type::TIMESTAMPTZ => (ColumnKind::Timestamp, "timestamptz"),
        // Redshift's own, which no list of PostgreSQL's knows.
        _ => match native.name() {
            "super" => (ColumnKind::Json, "super"),
            "varbyte" => (ColumnKind::Binary, "varbyte"),
            "geometry" => (ColumnKind::Text, "geometry"),
            "geography" => (ColumnKind::Text, "geography"),
            "hllsketch" => (ColumnKind::Integer, "hllsketch"),
            "intervaly2m" => (ColumnKind::Text, "interval year to month"),
            "intervald2s" => (ColumnKind::Text, "interval day to second"),
            _ => (ColumnKind::Text, LONGEST_TEXT),
        },
    };
    (kind, name.to_owned())
}

/// The modifier of a type with a size counts four bytes more; without a size it is negative.
fn sized(name: &str, modifier: i32, unsized_name: &str) -> String {
    match modifier.checked_sub(4) {
        Some(size) if size > 0 => format!("{name}({size})"),
        Some(_) | None => unsized_name.to_owned(),
    }
}

fn numeric(modifier: i32) -> String {
    match modifier.checked_sub(4) {
        Some(packed) if packed > 0 => format!("numeric({},{})", packed >> 16, packed & 0xFFFF),
        Some(_) | None => "numeric".to_owned(),
    }
}

/// How a type behaves in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// Hashed, kept and read as it is.
    Plain,
    /// Single precision, which is read in double: the server prints too few digits of it.
    Single,
    /// Blanks at the end mean nothing.
    Padded,
    /// `SUPER`: semi-structured, printed as JSON.
    Super,
    /// Bytes, printed in hexadecimal digits.
    Bytes,
    /// Shapes, read as well-known text.
    Shape,
    /// A sketch that counts what is distinct: its estimate is what is read.
    Sketch,
    /// An interval of months.
    Months,
    /// An interval of time.
    Time,
    /// Text, and whatever prints as text.
    Textual,
}

/// How values of a column are handled, by the name that [`column`] gave its type.
pub(super) fn handling(column: &Column) -> Handling {
    match column.native.as_str() {
        "real" => Handling::Single,
        "super" => Handling::Super,
        "varbyte" => Handling::Bytes,
        "geometry" | "geography" => Handling::Shape,
        "hllsketch" => Handling::Sketch,
        "interval year to month" => Handling::Months,
        "interval day to second" => Handling::Time,
        LONGEST_TEXT => Handling::Textual,
        native if native.starts_with("char(") => Handling::Padded,
        _ => Handling::Plain,
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::ColumnKind;
    use tokio_postgres::types::{Kind, Type};

    use super::column;

    #[test]
    fn types_keep_their_length_and_precision() {
        let cases = [
            (Type::VARCHAR, 24, "varchar(20)"),
            (Type::VARCHAR, -1, "varchar(65535)"),
            (Type::BPCHAR, 9, "char(5)"),
            (Type::NUMERIC, (38 << 16) + 10 + 4, "numeric(38,10)"),
            (Type::NUMERIC, (18 << 16) + 4, "numeric(18,0)"),
            (Type::TEXT, -1, "varchar(65535)"),
            (Type::UNKNOWN, -2, "varchar(65535)"),
        ];
        for (native, modifier, expected) in cases {
            assert_eq!(column("c", &native, modifier).native, expected);
        }
    }

    #[test]
    fn redshifts_own_types_are_known_by_their_names() {
        let own = |name: &str| {
            let native = Type::new(name.to_owned(), 4000, Kind::Simple, "pg_catalog".to_owned());
            let column = column("c", &native, -1);
            (column.kind, column.native)
        };
        assert_eq!(own("super"), (ColumnKind::Json, "super".to_owned()));
        assert_eq!(own("varbyte"), (ColumnKind::Binary, "varbyte".to_owned()));
        assert_eq!(own("intervaly2m"), (ColumnKind::Text, "interval year to month".to_owned()));
        assert_eq!(own("intervald2s"), (ColumnKind::Text, "interval day to second".to_owned()));
    }
}
