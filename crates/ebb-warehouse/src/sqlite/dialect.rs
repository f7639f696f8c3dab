//! The SQL of SQLite.

use ebb_core::Column;
use sqlparser::dialect::{Dialect as Grammar, SQLiteDialect};

use super::functions::{CHECKSUM, KEY};
use crate::dialect::Dialect;

/// SQLite's SQL, with Ebb's functions for checksums and identifiers.
#[derive(Debug)]
pub(crate) struct SqliteDialect;

impl Dialect for SqliteDialect {
    fn grammar(&self) -> Box<dyn Grammar> {
        Box::new(SQLiteDialect {})
    }

    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let columns: Vec<_> = columns.iter().map(|(_, read)| read.as_str()).collect();
        format!("{CHECKSUM}({}, {})", self.literal(salt), columns.join(", "))
    }

    /// Values have types of their own here, so one name stands for all.
    fn key_type(&self, _id: &Column) -> String {
        "any".to_owned()
    }

    fn key(&self, _id: &Column, expression: &str) -> String {
        format!("{KEY}({expression})")
    }

    fn is_text(&self, _column: &Column) -> bool {
        true
    }

    fn holds(&self, expression: &str, text: &str) -> String {
        let text = self.literal(text);
        format!("instr(lower(cast({expression} as text)), lower({text})) > 0")
    }

    fn moment_text(&self, expression: &str) -> String {
        format!("nullif(quote({expression}), 'NULL')")
    }

    /// `quote` gave a number or a text in quotes; it is written as such again, whatever it is.
    fn moment(&self, _column: &Column, text: &str) -> String {
        let number = text.parse::<i64>().is_ok() || text.parse::<f64>().is_ok_and(f64::is_finite);
        if number {
            return text.to_owned();
        }
        let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        self.literal(&inner.unwrap_or(text).replace("''", "'"))
    }

    fn null(&self, _column: &Column) -> String {
        "null".to_owned()
    }

    /// Nothing is declared, so every value can only be judged when it is read.
    fn can_identify(&self, _column: &Column) -> bool {
        true
    }

    /// The sign takes the column's type affinity away: a created table would convert values by it.
    fn stored(&self, _column: &Column, expression: &str) -> String {
        format!("+{expression}")
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        let native = column.native.to_uppercase();
        let may_be = ["", "REAL", "FLOA", "DOUB", "NUM", "DEC", "ANY"];
        may_be
            .iter()
            .any(|part| native == *part || (!part.is_empty() && native.contains(part)))
            .then(|| format!("typeof({expression}) = 'real' and abs({expression}) = 9e999"))
    }

    fn begin(&self) -> &'static str {
        "begin immediate"
    }

    fn schema_exists(&self, _schema: &str) -> Option<String> {
        None
    }

    fn all_tables(&self, schema: &str) -> String {
        let tables = self.table(schema, "sqlite_schema");
        format!("select name as table_name from {tables} where type = 'table'")
    }

    /// Columns of a view have a type where they are a table's.
    fn described_tables(&self, _managed: &str, rows: u64) -> String {
        format!(
            "select 'main', t.name, c.name, c.type, 1 from main.sqlite_schema t \
             join pragma_table_info(t.name, 'main') c \
             where t.type in ('table', 'view') and t.name not like 'sqlite\\_%' escape '\\' \
             order by t.name, c.cid limit {rows}"
        )
    }

    /// Without an index, the join would compare every row with every record.
    fn index_records(&self, schema: &str, records: &str) -> Option<String> {
        Some(format!(
            "create index {} on {} (record_id, checksum)",
            self.table(schema, &format!("{records}_key")),
            self.quote(records)
        ))
    }

    fn in_order(&self) -> &'static str {
        "order by rowid"
    }
}
