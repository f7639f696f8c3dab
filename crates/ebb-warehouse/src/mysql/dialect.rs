//! The SQL of MySQL and MariaDB, in sessions whose double quotes enclose names.

use std::borrow::Cow;

use ebb_core::{Column, ColumnKind};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    grammar::AnsiQuotes,
    types::{Handling, handling},
};
use crate::{
    dialect::{Dialect, Marked, Scratch, Transactions, is_moment},
    statement,
};

/// The SQL of MySQL and MariaDB.
#[derive(Debug)]
pub(crate) struct MysqlDialect;

/// Text that compares letter by letter.
const TEXT: &str = "longtext character set utf8mb4 collate utf8mb4_bin";
/// The type of checksums.
const CHECKSUM: &str = "bigint unsigned";
/// Bytes of the longest identifier that is kept as it is, so that an index can hold it.
const KEY_BYTES: u32 = 1024;
/// Characters that are kept of a longer one, before the digest of all of it.
const KEY_PREFIX: u32 = 192;
/// What every table of Ebb's has in common. Rows are found by name in any order of columns.
const OPTIONS: &str =
    "engine=InnoDB row_format=dynamic default character set utf8mb4 collate utf8mb4_bin";

/// A text literal; a backslash begins an escape in every session.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name, shortened where the server would refuse it.
fn within_limit(table: &str) -> Cow<'_, str> {
    const LONGEST: usize = 64;
    if table.len() <= LONGEST {
        return Cow::Borrowed(table);
    }
    let beginning = table.get(..table.floor_char_boundary(LONGEST - 17)).unwrap_or_default();
    Cow::Owned(format!("{beginning}_{:016x}", xxh3_64(table.as_bytes())))
}

/// Text in the one character set that has all letters.
fn unicode(expression: &str) -> String {
    format!("convert({expression} using utf8mb4)")
}

/// Null as text of any length, which gives a created table's column that type: a row of many
/// `varchar` columns would exceed the longest row.
const NO_TEXT: &str = "convert(uncompress(null) using utf8mb4)";
/// Null as bytes of any length.
const NO_BYTES: &str = "uncompress(null)";

/// An expression whose text, or null, tells values apart exactly. Long values are digested one by one,
/// so that no text exceeds what the server allows.
fn hashed(column: &Column, read: &str) -> String {
    match handling(column) {
        Handling::Integer
        | Handling::Unsigned
        | Handling::Decimal
        | Handling::Double
        | Handling::Dated
        | Handling::Time => read.to_owned(),
        Handling::Single => format!("{read} + 0e0"),
        Handling::Bits => format!("{read} + 0"),
        Handling::Text => unicode(read),
        Handling::Bytes => format!("hex({read})"),
        Handling::LongText => format!("sha2({}, 256)", unicode(read)),
        Handling::Json => format!("sha2(cast({read} as char), 256)"),
        Handling::LongBytes | Handling::Geometry => format!("sha2({read}, 256)"),
    }
}

/// Whether values are whole numbers without a sign.
fn is_unsigned(handling: Handling) -> bool {
    matches!(handling, Handling::Unsigned | Handling::Bits)
}

/// The column definition of an identifier in a type of [`Dialect::key_type`].
fn key_definition(key_type: &str) -> String {
    if key_type == TEXT { format!("varbinary({KEY_BYTES})") } else { key_type.to_owned() }
}

impl Dialect for MysqlDialect {
    fn grammar(&self) -> Box<dyn sqlparser::dialect::Dialect> {
        Box::new(AnsiQuotes)
    }

    /// `quote` encloses every value and gives null without quotes, so no two rows read the same. A number
    /// and its text would: the salt tells them apart.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let kinds: Vec<_> = columns.iter().map(|(column, _)| column.kind.as_str()).collect();
        let salt = format!("{:016x}", xxh3_64(format!("{salt} {}", kinds.join(" ")).as_bytes()));
        let values: Vec<String> = columns
            .iter()
            .map(|(column, read)| format!("quote({})", hashed(column, read)))
            .collect();
        format!(
            "cast(conv(left(sha2(concat('{salt}', {}), 256), 16), 16, 10) as unsigned)",
            values.join(", ")
        )
    }

    fn key_type(&self, id: &Column) -> String {
        let handling = handling(id);
        if handling == Handling::Integer {
            "bigint".to_owned()
        } else if is_unsigned(handling) {
            "bigint unsigned".to_owned()
        } else {
            TEXT.to_owned()
        }
    }

    fn key(&self, id: &Column, expression: &str) -> String {
        let handling = handling(id);
        if handling == Handling::Integer {
            return format!("cast({expression} as signed)");
        }
        if is_unsigned(handling) {
            return format!("cast({expression} as unsigned)");
        }
        // One too long for an index is its beginning and a digest.
        let text = unicode(expression);
        format!(
            "cast(case when octet_length({text}) <= {KEY_BYTES} then {text} \
             else concat(left({text}, {KEY_PREFIX}), ':', sha2({text}, 256)) end as binary)"
        )
    }

    fn text_type(&self) -> &'static str {
        TEXT
    }

    /// Bytes, which compare without a collation.
    fn text(&self, expression: &str) -> String {
        format!("cast({} as binary)", unicode(expression))
    }

    fn holds(&self, expression: &str, text: &str) -> String {
        let text = self.literal(text);
        format!("position(lower({text}) in lower({})) > 0", unicode(expression))
    }

    fn moment(&self, column: &Column, text: &str) -> String {
        let text = self.literal(text);
        match column.kind {
            ColumnKind::Timestamp | ColumnKind::LocalTimestamp => {
                format!("cast({text} as datetime(6))")
            }
            ColumnKind::Date => format!("cast({text} as date)"),
            ColumnKind::Time => format!("cast({text} as time(6))"),
            ColumnKind::Integer if handling(column) == Handling::Integer => {
                format!("cast({text} as signed)")
            }
            ColumnKind::Decimal if handling(column) == Handling::Decimal => {
                format!("cast({text} as {})", column.native)
            }
            ColumnKind::Integer | ColumnKind::Decimal => format!("cast({text} as unsigned)"),
            ColumnKind::Float => format!("({text} + 0e0)"),
            ColumnKind::Boolean | ColumnKind::Text | ColumnKind::Binary | ColumnKind::Json => text,
        }
    }

    /// In created tables a plain null would have a type too narrow for the values that follow.
    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("{moment} - interval {seconds} second"))
    }

    fn null(&self, column: &Column) -> String {
        match handling(column) {
            Handling::Integer => "nullif(-9223372036854775807, -9223372036854775807)".to_owned(),
            Handling::Unsigned | Handling::Bits => {
                "nullif(18446744073709551615, 18446744073709551615)".to_owned()
            }
            Handling::Single | Handling::Double => "(null + 0e0)".to_owned(),
            Handling::Decimal | Handling::Time => format!("cast(null as {})", column.native),
            Handling::Dated if column.kind == ColumnKind::Date => "cast(null as date)".to_owned(),
            Handling::Dated => "cast(null as datetime(6))".to_owned(),
            Handling::Text | Handling::LongText | Handling::Json => NO_TEXT.to_owned(),
            Handling::Bytes | Handling::LongBytes => NO_BYTES.to_owned(),
            Handling::Geometry => "st_geomfromtext(null)".to_owned(),
        }
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn table(&self, schema: &str, table: &str) -> String {
        format!("{}.{}", quoted(schema), quoted(&within_limit(table)))
    }

    /// MariaDB's `json` is `longtext`.
    fn has_json(&self) -> bool {
        false
    }

    fn stored(&self, column: &Column, expression: &str) -> String {
        match handling(column) {
            Handling::Integer
            | Handling::Unsigned
            | Handling::Decimal
            | Handling::Single
            | Handling::Double
            | Handling::Dated
            | Handling::Time
            | Handling::Geometry => expression.to_owned(),
            Handling::Bits => format!("{expression} + 0"),
            Handling::Text | Handling::LongText => {
                format!("coalesce({}, {NO_TEXT})", unicode(expression))
            }
            Handling::Json => format!("coalesce(cast({expression} as char), {NO_TEXT})"),
            Handling::Bytes | Handling::LongBytes => format!("coalesce({expression}, {NO_BYTES})"),
        }
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        // Applied to a model's value or to what `stored` made of it: both give the same.
        match handling(column) {
            Handling::Integer
            | Handling::Unsigned
            | Handling::Decimal
            | Handling::Single
            | Handling::Double
            | Handling::Dated
            | Handling::Time
            | Handling::Bytes
            | Handling::LongBytes => expression.to_owned(),
            Handling::Bits => format!("{expression} + 0"),
            Handling::Text | Handling::LongText => unicode(expression),
            Handling::Json => format!("cast({expression} as char)"),
            Handling::Geometry => format!("st_astext({expression})"),
        }
    }

    /// Floats are always finite here, but a date may lack its month or its day.
    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        (handling(column) == Handling::Dated)
            .then(|| format!("(month({expression}) = 0 or dayofmonth({expression}) = 0)"))
    }

    fn integer(&self, expression: &str) -> String {
        format!("cast({expression} as signed)")
    }

    /// A window would sort the rows anew, and would read all of them.
    fn row_number(&self) -> String {
        "@ebb_row := coalesce(@ebb_row, 0) + 1".to_owned()
    }

    fn begin(&self) -> &'static str {
        "start transaction"
    }

    fn create_schema(&self, schema: &str) -> String {
        format!(
            "create database if not exists {} character set utf8mb4 collate utf8mb4_bin",
            quoted(schema)
        )
    }

    fn described_tables(&self, managed: &str, rows: u64) -> String {
        let hidden = ["information_schema", "mysql", "performance_schema", "sys", managed];
        statement::tables::described(self, &hidden, "column_type", rows)
    }

    fn current_schema(&self) -> &'static str {
        "database()"
    }

    /// Names are compared letter by letter where the server keeps them so.
    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables =
            tables.iter().map(|table| literal(&within_limit(table))).collect::<Vec<_>>().join(", ");
        format!(
            "{} and table_name in ({tables}) \
             and (cast(table_name as binary) in ({tables}) or @@lower_case_table_names <> 0)",
            self.all_tables(schema)
        )
    }

    fn create_table_as(&self, table: &str, query: &str) -> String {
        format!("create table {table} {OPTIONS} as\n{query}")
    }

    /// `ignore` lets a model's conversions give what they give in a plain query: warnings.
    fn create_changes_as(&self, table: &str, query: &str) -> String {
        format!(
            "create table {table} (seq bigint not null auto_increment primary key) {OPTIONS} \
             ignore as\n{query}"
        )
    }

    fn numbers_changes(&self) -> bool {
        true
    }

    fn create_records_as(&self, table: &str, key_type: &str, query: &str) -> String {
        format!(
            "create table {table} (record_id {key} not null, checksum {CHECKSUM} not null, \
             primary key (record_id)) {OPTIONS} ignore as\n{query}",
            key = key_definition(key_type),
        )
    }

    /// A join from the few: a subquery would be asked for each of the tracked.
    fn delete_records(&self, records: &str, value: &str, from: &str) -> String {
        format!(
            "delete r from (select distinct {value} as id {from}) x \
             straight_join {records} r on r.record_id = x.id"
        )
    }

    fn mark(&self, changes: &str, op: i64, marked: &Marked<'_>) -> String {
        let Marked { condition, value, from } = marked;
        let condition =
            condition.map_or_else(String::new, |condition| format!(" where {condition}"));
        format!(
            "update {changes} marked join (select distinct {value} as id {from}) x \
             on x.id = marked.record_id set op = {op}{condition}"
        )
    }

    fn transactions(&self) -> Transactions {
        Transactions::Rows
    }

    fn without_full_join(&self) -> Option<&dyn Scratch> {
        Some(self)
    }
}

impl Scratch for MysqlDialect {
    fn create_rows(&self, table: &str, key_type: &str, query: &str) -> String {
        format!(
            "create temporary table {table} (k {key}, h {CHECKSUM} not null, index (k, h)) \
             {OPTIONS} ignore as\n{query}",
            key = key_definition(key_type),
        )
    }

    fn create_plain(&self, table: &str, query: &str) -> String {
        format!("create temporary table {table} {OPTIONS} as\n{query}")
    }

    fn drop(&self, table: &str) -> String {
        format!("drop temporary table if exists {table}")
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::{MysqlDialect, literal, within_limit};
    use crate::dialect::Dialect;

    /// A column of each way in which types are handled.
    fn columns() -> [Column; 15] {
        [
            ("a", ColumnKind::Integer, "bigint"),
            ("b", ColumnKind::Decimal, "bigint unsigned"),
            ("c", ColumnKind::Boolean, "tinyint(1)"),
            ("d", ColumnKind::Decimal, "decimal(10, 2)"),
            ("e", ColumnKind::Float, "float"),
            ("f", ColumnKind::Float, "double"),
            ("g", ColumnKind::Integer, "bit(8)"),
            ("h", ColumnKind::Date, "date"),
            ("i", ColumnKind::LocalTimestamp, "datetime(6)"),
            ("j", ColumnKind::Time, "time(6)"),
            ("k", ColumnKind::Text, "varchar"),
            ("l", ColumnKind::Text, "longtext"),
            ("m", ColumnKind::Json, "json"),
            ("n", ColumnKind::Binary, "varbinary"),
            ("o", ColumnKind::Text, "geometry"),
        ]
        .map(|(name, kind, native)| Column::new(name, kind, native))
    }

    #[test]
    fn checksums_digest_every_value_in_quotes() {
        let columns = columns();
        let read: Vec<_> =
            columns.iter().map(|column| (column, format!("m.{}", column.name))).collect();
        let checksum = MysqlDialect.checksum("[\"a\"]", &read);
        insta::assert_snapshot!(checksum.replace(", quote", ",\nquote"));
    }

    #[test]
    fn columns_are_kept_and_streamed_by_their_type() {
        let told = columns().map(|column| {
            let (stored, staged) =
                (MysqlDialect.stored(&column, "x"), MysqlDialect.staged(&column, "x"));
            let (null, moment) = (MysqlDialect.null(&column), MysqlDialect.moment(&column, "1"));
            format!("{}: {stored} | {staged} | {null} | {moment}", column.native)
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_number_and_its_text_have_different_checksums() {
        let [number, text] = [("bigint", ColumnKind::Integer), ("varchar", ColumnKind::Text)]
            .map(|(native, kind)| Column::new("a", kind, native));
        let salted = |column: &Column| {
            let checksum = MysqlDialect.checksum("[\"a\"]", &[(column, "m.a".to_owned())]);
            checksum.split('\'').nth(1).map(str::to_owned)
        };
        assert_ne!(salted(&number), salted(&text));
    }

    #[test]
    fn literals_escape_what_a_session_would_take_for_more() {
        assert_eq!(literal("it's \\"), "'it''s \\\\'");
    }

    #[test]
    fn long_table_names_stay_apart_within_the_servers_limit() {
        let long = "ä".repeat(60);
        let names = [format!("{long}1"), format!("{long}2")];
        let short = names.each_ref().map(|name| within_limit(name));
        assert_ne!(short[0], short[1]);
        assert!(short.iter().all(|name| name.len() <= 64));
        assert_eq!(within_limit("records_users"), "records_users");
    }
}
