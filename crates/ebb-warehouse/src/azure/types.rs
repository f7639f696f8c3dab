//! The server's types: what their values are to Ebb, and what their exact texts are.

use ebb_core::{Column, ColumnKind};

/// How values of a type are hashed, kept and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// Whole numbers of at most 64 bits.
    Integer,
    /// True or false.
    Bit,
    /// Digits of a known number.
    Decimal,
    /// Four digits after the point, of which a text shows two.
    Money,
    /// Numbers of four or eight bytes.
    Float,
    /// Text, and types whose whole value is their text.
    Text,
    /// Text that is filled up with blanks.
    Padded,
    /// A UUID.
    Guid,
    /// A day, a time of day, a local date and time.
    Dated,
    /// A date and time with an offset from UTC.
    Zoned,
    /// Bytes.
    Bytes,
    /// Eight bytes that the server sets itself wherever a table has such a column.
    Version,
    /// A value of any other type.
    Variant,
    /// A shape.
    Shape,
    /// A place in a hierarchy.
    Path,
}

/// A column by the name and the type that the server described.
pub(super) fn column(name: &str, described: &str) -> Column {
    let native = native(described);
    Column::new(name, kind(&native), native)
}

/// The type's name. Those of texts and bytes have no length: that of an expression would change with
/// its parts. Neither have those of numbers of four or eight bytes a precision.
fn native(described: &str) -> String {
    let lower = described.to_lowercase();
    let word = word(&lower);
    match word {
        "char" | "nchar" | "varchar" | "nvarchar" | "binary" | "varbinary" | "float" => {
            word.to_owned()
        }
        // A name of another kind for eight bytes.
        "timestamp" => "rowversion".to_owned(),
        "sysname" => "nvarchar".to_owned(),
        _ => lower,
    }
}

/// The first word of a type's name.
fn word(native: &str) -> &str {
    native.split(['(', ' ']).next().unwrap_or(native)
}

fn kind(native: &str) -> ColumnKind {
    match word(native) {
        "bit" => ColumnKind::Boolean,
        "tinyint" | "smallint" | "int" | "bigint" => ColumnKind::Integer,
        "decimal" | "numeric" | "money" | "smallmoney" => ColumnKind::Decimal,
        "float" | "real" => ColumnKind::Float,
        "date" => ColumnKind::Date,
        "time" => ColumnKind::Time,
        "datetime" | "smalldatetime" | "datetime2" => ColumnKind::LocalTimestamp,
        "datetimeoffset" => ColumnKind::Timestamp,
        "binary" | "varbinary" | "image" | "rowversion" => ColumnKind::Binary,
        "json" => ColumnKind::Json,
        _ => ColumnKind::Text,
    }
}

/// How values of a column are handled, by the name that [`column()`] gave its type.
pub(super) fn handling(column: &Column) -> Handling {
    match word(&column.native) {
        "tinyint" | "smallint" | "int" | "bigint" => Handling::Integer,
        "bit" => Handling::Bit,
        "decimal" | "numeric" => Handling::Decimal,
        "money" | "smallmoney" => Handling::Money,
        "float" | "real" => Handling::Float,
        "char" | "nchar" => Handling::Padded,
        "uniqueidentifier" => Handling::Guid,
        "date" | "time" | "datetime" | "smalldatetime" | "datetime2" => Handling::Dated,
        "datetimeoffset" => Handling::Zoned,
        "binary" | "varbinary" | "image" => Handling::Bytes,
        "rowversion" => Handling::Version,
        "sql_variant" => Handling::Variant,
        "geography" | "geometry" => Handling::Shape,
        "hierarchyid" => Handling::Path,
        _ => Handling::Text,
    }
}

/// The text of a value, the same in every session; no two values of a type have the same.
pub(super) fn exact_text(handling: Handling, read: &str) -> String {
    match handling {
        Handling::Integer | Handling::Bit | Handling::Decimal | Handling::Guid => {
            format!("cast({read} as nvarchar(50))")
        }
        Handling::Money => format!("cast(cast({read} as decimal(19, 4)) as nvarchar(50))"),
        // All digits that tell it from its neighbours.
        Handling::Float => format!("convert(nvarchar(50), {read}, 3)"),
        Handling::Text => format!("cast({read} as nvarchar(max))"),
        Handling::Padded => format!("cast(rtrim({read}) as nvarchar(max))"),
        // yyyy-mm-dd hh:mi:ss.nnnnnnn, or what of it the type has
        Handling::Dated => format!("convert(nvarchar(50), {read}, 121)"),
        Handling::Zoned => {
            format!("convert(nvarchar(50), switchoffset({read}, N'+00:00'), 121)")
        }
        Handling::Bytes | Handling::Version => {
            format!("convert(nvarchar(max), cast({read} as varbinary(max)), 2)")
        }
        Handling::Variant => format!("cast({read} as nvarchar(4000))"),
        Handling::Shape => format!("{read}.STAsText()"),
        Handling::Path => format!("{read}.ToString()"),
    }
}

#[cfg(test)]
mod tests {
    use super::{column, handling};

    #[test]
    fn types_are_known_by_their_first_word() {
        let told: Vec<_> = [
            "nvarchar(50)",
            "VARCHAR(max)",
            "decimal(38,10)",
            "datetime2(3)",
            "datetimeoffset(7)",
            "timestamp",
            "float",
            "float(53)",
            "time(0)",
            "bit",
            "tinyint",
            "uniqueidentifier",
            "sql_variant",
            "geography",
            "xml(CONTENT [dbo].[c])",
            "json",
            "vector(3)",
        ]
        .iter()
        .map(|described| {
            let column = column("a", described);
            format!("{}: {}, {:?}", column.native, column.kind.as_str(), handling(&column))
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
