//! The server's types: what their values are to Ebb, and how they are hashed, kept and read.

use ebb_core::{Column, ColumnKind};
use mysql_async::{
    Column as Described,
    consts::{ColumnFlags, ColumnType},
};

/// The number of the character set of bytes.
const BINARY: u16 = 63;
/// Bytes of the longest `text` in four-byte characters; what is longer is `mediumtext` or `longtext`.
const TEXT_BYTES: u32 = 65_535 * 4;

/// A column of a query as the server described it.
pub(super) fn column(described: &Described) -> Column {
    let native = name(described);
    Column::new(described.name_str(), kind(&native), native)
}

/// The type as the server's own statements name it. Texts have no length: that of an expression would
/// change with its parts.
fn name(described: &Described) -> String {
    use ColumnType as Type;
    let flags = described.flags();
    let bytes = described.character_set() == BINARY;
    let long = described.column_length() > TEXT_BYTES;
    let unsigned = |name: &str| {
        let sign = if flags.contains(ColumnFlags::UNSIGNED_FLAG) { " unsigned" } else { "" };
        format!("{name}{sign}")
    };
    let text = |text: &str, binary: &str| if bytes { binary.to_owned() } else { text.to_owned() };
    match described.column_type() {
        Type::MYSQL_TYPE_TINY
            if described.column_length() == 1 && !flags.contains(ColumnFlags::UNSIGNED_FLAG) =>
        {
            "tinyint(1)".to_owned()
        }
        Type::MYSQL_TYPE_TINY => unsigned("tinyint"),
        Type::MYSQL_TYPE_SHORT => unsigned("smallint"),
        Type::MYSQL_TYPE_INT24 => unsigned("mediumint"),
        Type::MYSQL_TYPE_LONG => unsigned("int"),
        Type::MYSQL_TYPE_LONGLONG => unsigned("bigint"),
        Type::MYSQL_TYPE_YEAR => "year".to_owned(),
        Type::MYSQL_TYPE_BIT => format!("bit({})", described.column_length()),
        Type::MYSQL_TYPE_FLOAT => "float".to_owned(),
        Type::MYSQL_TYPE_DOUBLE => "double".to_owned(),
        Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => {
            // The length counts the sign and the point.
            let scale = u32::from(described.decimals());
            let sign = u32::from(!flags.contains(ColumnFlags::UNSIGNED_FLAG));
            let point = u32::from(scale > 0);
            let digits = described.column_length().saturating_sub(sign + point);
            format!("decimal({}, {scale})", digits.clamp(scale.max(1), 65))
        }
        Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE => "date".to_owned(),
        Type::MYSQL_TYPE_TIME | Type::MYSQL_TYPE_TIME2 => timed("time", described),
        Type::MYSQL_TYPE_DATETIME | Type::MYSQL_TYPE_DATETIME2 => timed("datetime", described),
        Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => timed("timestamp", described),
        Type::MYSQL_TYPE_JSON => "json".to_owned(),
        Type::MYSQL_TYPE_GEOMETRY => "geometry".to_owned(),
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => "enum".to_owned(),
        _ if flags.contains(ColumnFlags::SET_FLAG) => "set".to_owned(),
        Type::MYSQL_TYPE_ENUM => "enum".to_owned(),
        Type::MYSQL_TYPE_SET => "set".to_owned(),
        Type::MYSQL_TYPE_TINY_BLOB
        | Type::MYSQL_TYPE_MEDIUM_BLOB
        | Type::MYSQL_TYPE_LONG_BLOB
        | Type::MYSQL_TYPE_BLOB
            if long =>
        {
            text("longtext", "longblob")
        }
        Type::MYSQL_TYPE_TINY_BLOB
        | Type::MYSQL_TYPE_MEDIUM_BLOB
        | Type::MYSQL_TYPE_LONG_BLOB
        | Type::MYSQL_TYPE_BLOB => text("text", "blob"),
        Type::MYSQL_TYPE_STRING => text("char", "binary"),
        Type::MYSQL_TYPE_VECTOR => "vector".to_owned(),
        // `select null` has a type of its own, and is text elsewhere too.
        Type::MYSQL_TYPE_NULL => "char".to_owned(),
        Type::MYSQL_TYPE_VARCHAR
        | Type::MYSQL_TYPE_VAR_STRING
        | Type::MYSQL_TYPE_TYPED_ARRAY
        | Type::MYSQL_TYPE_UNKNOWN => text("varchar", "varbinary"),
    }
}

/// A type of times with the digits of its seconds.
fn timed(name: &str, described: &Described) -> String {
    match described.decimals() {
        digits @ 1..=6 => format!("{name}({digits})"),
        // Without digits, or any number of them.
        0 => name.to_owned(),
        _ => format!("{name}(6)"),
    }
}

/// The first word of a type's name.
fn word(native: &str) -> &str {
    native.split(['(', ' ']).next().unwrap_or(native)
}

/// What the values of a type are.
fn kind(native: &str) -> ColumnKind {
    match (word(native), native) {
        (_, "tinyint(1)" | "bit(1)") => ColumnKind::Boolean,
        // Beyond the largest signed number.
        (_, "bigint unsigned" | "bit(64)") | ("decimal", _) => ColumnKind::Decimal,
        ("tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" | "bit", _) => {
            ColumnKind::Integer
        }
        ("float" | "double", _) => ColumnKind::Float,
        ("date", _) => ColumnKind::Date,
        ("time", _) => ColumnKind::Time,
        ("datetime", _) => ColumnKind::LocalTimestamp,
        ("timestamp", _) => ColumnKind::Timestamp,
        ("json", _) => ColumnKind::Json,
        ("binary" | "varbinary" | "blob" | "longblob" | "vector", _) => ColumnKind::Binary,
        _ => ColumnKind::Text,
    }
}

/// How a type behaves in Ebb's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// Whole numbers with a sign, years.
    Integer,
    /// Whole numbers without a sign.
    Unsigned,
    /// Digits of a known number.
    Decimal,
    /// Numbers of four bytes, which print with fewer digits than they have.
    Single,
    /// Numbers of eight bytes.
    Double,
    /// Bits, which are bytes unless they are made a number.
    Bits,
    /// Dates and times, which may hold zeros for month and day.
    Dated,
    /// A time of day or a span.
    Time,
    /// Text of a bounded length.
    Text,
    /// Text of any length.
    LongText,
    /// A document.
    Json,
    /// Bytes of a bounded length.
    Bytes,
    /// Bytes of any length.
    LongBytes,
    /// A shape.
    Geometry,
}

/// How values of a column are handled, by the name that [`column()`] gave its type.
pub(super) fn handling(column: &Column) -> Handling {
    let native = column.native.as_str();
    match word(native) {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint"
            if native.ends_with(" unsigned") =>
        {
            Handling::Unsigned
        }
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => Handling::Integer,
        "decimal" => Handling::Decimal,
        "float" => Handling::Single,
        "double" => Handling::Double,
        "bit" => Handling::Bits,
        "date" | "datetime" | "timestamp" => Handling::Dated,
        "time" => Handling::Time,
        "text" | "longtext" => Handling::LongText,
        "json" => Handling::Json,
        "binary" | "varbinary" => Handling::Bytes,
        "blob" | "longblob" | "vector" => Handling::LongBytes,
        "geometry" => Handling::Geometry,
        _ => Handling::Text,
    }
}
