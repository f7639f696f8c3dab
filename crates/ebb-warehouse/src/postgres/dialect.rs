//! PostgreSQL's SQL.

use std::sync::{Arc, OnceLock};

use ebb_core::{Column, ColumnKind};
use sqlparser::dialect::PostgreSqlDialect;
use xxhash_rust::xxh3::xxh3_64;

use super::types::{Handling, handling};
use crate::{
    dialect::{Dialect, is_moment},
    pgwire::{self, literal, quoted, within_limit},
};

/// The first version whose rows can be hashed as they are.
const HASHES_ROWS: u32 = 14;

/// PostgreSQL's SQL, of the version that the connection found.
pub(crate) struct PostgresDialect {
    version: Arc<OnceLock<u32>>,
}

/// How the statement begins that makes a table which a crash of the server empties.
const CREATE_UNLOGGED: &str = "create unlogged table ";

/// The statement that keeps the number of rows with the table that a statement made, if a crash may
/// empty that table: so an emptied one is told from one that never had rows.
pub(super) fn remember_rows(sql: &str, rows: u64) -> Option<String> {
    let table = sql.strip_prefix(CREATE_UNLOGGED)?.split_once(" as\n")?.0;
    Some(format!("comment on table {table} is '{rows}'"))
}

impl PostgresDialect {
    pub(super) const fn new(version: Arc<OnceLock<u32>>) -> Self {
        Self { version }
    }

    /// The newest form until a session was opened; statements are made after that.
    fn hashes_rows(&self) -> bool {
        self.version.get().is_none_or(|version| *version >= HASHES_ROWS)
    }
}

/// An expression whose hash tells values apart exactly where their text does.
fn hashed(column: &Column, read: &str) -> String {
    match handling(column) {
        Handling::Plain | Handling::Oid => read.to_owned(),
        Handling::Characters => format!("{read} collate \"C\""),
        Handling::Money => format!("cast({read} as numeric)"),
        Handling::TextualHash
        | Handling::Padded
        | Handling::Address
        | Handling::Structured
        | Handling::Textual => format!("cast({read} as text) collate \"C\""),
    }
}

impl Dialect for PostgresDialect {
    fn grammar(&self) -> Box<dyn sqlparser::dialect::Dialect> {
        Box::new(PostgreSqlDialect {})
    }

    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let salt = xxh3_64(salt.as_bytes()).cast_signed();
        let values: Vec<String> =
            columns.iter().map(|(column, read)| hashed(column, read)).collect();
        let values = values.join(", ");
        if self.hashes_rows() {
            format!("hash_record_extended(row({values}), bigint '{salt}')")
        } else {
            format!("hashtextextended(cast(row({values}) as text) collate \"C\", bigint '{salt}')")
        }
    }

    fn key_type(&self, id: &Column) -> String {
        match id.native.as_str() {
            "int2" | "int4" | "int8" => "bigint",
            "uuid" => "uuid",
            _ => "text",
        }
        .to_owned()
    }

    fn key(&self, id: &Column, expression: &str) -> String {
        match self.key_type(id).as_str() {
            "text" => self.text(expression),
            native => format!("cast({expression} as {native})"),
        }
    }

    fn text(&self, expression: &str) -> String {
        format!("cast({expression} as text) collate \"C\"")
    }

    fn table(&self, schema: &str, table: &str) -> String {
        format!("{}.{}", quoted(schema), quoted(&within_limit(table)))
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("{moment} - interval '{seconds} seconds'"))
    }

    fn null(&self, column: &Column) -> String {
        self.stored(column, &format!("cast(null as {})", column.native))
    }

    fn ignores_case(&self) -> bool {
        false
    }

    fn stored(&self, column: &Column, expression: &str) -> String {
        // Only the server's own types, domains as what they are made of: a table of Ebb must not keep
        // anybody from dropping a type.
        match handling(column) {
            Handling::Plain
            | Handling::Characters
            | Handling::TextualHash
            | Handling::Oid
            | Handling::Address => format!("cast({expression} as {})", column.native),
            Handling::Money => format!("cast({expression} as numeric)"),
            Handling::Structured => format!("to_json({expression})"),
            Handling::Padded | Handling::Textual => format!("cast({expression} as text)"),
        }
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        // Applied to a model's value or to what `stored` made of it: both give the same.
        match handling(column) {
            Handling::Plain | Handling::Characters | Handling::TextualHash => expression.to_owned(),
            Handling::Oid => format!("cast({expression} as bigint)"),
            Handling::Money => format!("cast({expression} as numeric)"),
            Handling::Address => format!("abbrev({expression})"),
            Handling::Structured => format!("cast(to_json({expression}) as text)"),
            Handling::Padded | Handling::Textual => format!("cast({expression} as text)"),
        }
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        match column.kind {
            ColumnKind::Float => Some(format!("{expression} in ('NaN', 'Infinity', '-Infinity')")),
            ColumnKind::Decimal if column.native == "numeric" => Some(if self.hashes_rows() {
                format!("{expression} in ('NaN', 'Infinity', '-Infinity')")
            } else {
                // Older servers know no infinite numeric.
                format!("{expression} = 'NaN'")
            }),
            // The server's years begin in 4714 BC, which can be shown.
            ColumnKind::Date => {
                Some(format!("({expression} = '-infinity' or {expression} >= '10000-01-01')"))
            }
            ColumnKind::Timestamp | ColumnKind::LocalTimestamp => Some(format!(
                "({expression} = '-infinity' or {expression} >= '9999-12-30 22:00:01')"
            )),
            ColumnKind::Boolean
            | ColumnKind::Integer
            | ColumnKind::Decimal
            | ColumnKind::Text
            | ColumnKind::Binary
            | ColumnKind::Time
            | ColumnKind::Json => None,
        }
    }

    fn create_changes_as(&self, table: &str, query: &str) -> String {
        // Not worth the log of a server with replicas: a diff that was lost is made again.
        format!("{CREATE_UNLOGGED}{table} as\n{query}")
    }

    /// Materialized views are in no other catalog.
    fn described_tables(&self, managed: &str, rows: u64) -> String {
        format!(
            "select n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
             case when n.nspname = current_schema() then 1 else 0 end \
             from pg_catalog.pg_attribute a \
             join pg_catalog.pg_class c on c.oid = a.attrelid \
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped \
             and n.nspname not in ('information_schema', {}) and left(n.nspname, 3) <> 'pg_' \
             and pg_catalog.has_schema_privilege(n.oid, 'usage') \
             and pg_catalog.has_column_privilege(c.oid, a.attnum, 'select') \
             order by n.nspname, c.relname, a.attnum limit {rows}",
            literal(managed)
        )
    }

    fn keeps_case(&self, name: &str) -> bool {
        pgwire::keeps_case(name)
    }

    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables =
            tables.iter().map(|table| literal(&within_limit(table))).collect::<Vec<_>>().join(", ");
        format!(
            "select c.relname from pg_catalog.pg_class c \
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = {} and c.relkind in ('r', 'p') and c.relname in ({tables}) \
             and (c.relpersistence <> 'u' or pg_catalog.pg_relation_size(c.oid) > 0 \
             or pg_catalog.obj_description(c.oid, 'pg_class') = '0')",
            literal(schema)
        )
    }

    fn in_order(&self) -> &'static str {
        // A plain scan without workers and without joining another's scan.
        ""
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use ebb_core::{Column, ColumnKind};

    use super::{PostgresDialect, remember_rows};
    use crate::dialect::Dialect;

    fn dialect(version: u32) -> PostgresDialect {
        PostgresDialect::new(Arc::new(OnceLock::from(version)))
    }

    /// A column of each way in which types are handled.
    fn columns() -> [Column; 9] {
        [
            ("a", ColumnKind::Integer, "int8"),
            ("b", ColumnKind::Text, "text"),
            ("c", ColumnKind::Json, "json"),
            ("d", ColumnKind::Text, "bpchar"),
            ("e", ColumnKind::Integer, "oid"),
            ("f", ColumnKind::Decimal, "money"),
            ("g", ColumnKind::Text, "inet"),
            ("h", ColumnKind::Json, "text[]"),
            ("i", ColumnKind::Text, "\"public\".\"mood\""),
        ]
        .map(|(name, kind, native)| Column::new(name, kind, native))
    }

    #[test]
    fn checksums_hash_the_row_or_from_older_servers_its_text() {
        let columns = columns();
        let read: Vec<_> =
            columns.iter().map(|column| (column, format!("m.{}", column.name))).collect();
        let told = [15, 13].map(|version| dialect(version).checksum("[\"a\"]", &read));
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn columns_are_kept_and_streamed_by_their_type() {
        let dialect = dialect(15);
        let told = columns().map(|column| {
            let (stored, staged) = (dialect.stored(&column, "x"), dialect.staged(&column, "x"));
            let (key, null) = (dialect.key(&column, "x"), dialect.null(&column));
            format!("{}: {stored} | {staged} | {key} | {null}", column.native)
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn rows_are_remembered_of_unlogged_tables_alone() {
        let dialect = dialect(15);
        let changes = dialect.create_changes_as("\"s\".\"changes_1\"", "select 1 as seq");
        insta::assert_snapshot!(
            remember_rows(&changes, 7).unwrap(),
            @r#"comment on table "s"."changes_1" is '7'"#
        );
        assert_eq!(remember_rows(&dialect.create_table_as("t", "select 1"), 7), None);
    }
}
