//! The SQL of Snowflake.

use ebb_core::{Column, ColumnKind};
use sqlparser::dialect::{Dialect as Grammar, SnowflakeDialect as SnowflakeGrammar};

use super::types::{Handling, handling};
use crate::dialect::{Dialect, Transactions, is_moment};

/// Snowflake's SQL.
#[derive(Debug)]
pub(crate) struct SnowflakeDialect;

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal, in which a backslash escapes.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

impl Dialect for SnowflakeDialect {
    fn grammar(&self) -> Box<dyn Grammar> {
        Box::new(SnowflakeGrammar {})
    }

    /// By each value's JSON, none for a null, one after the other: JSON ends where the next comma
    /// outside of it stands. Of a whole row's JSON nothing says in which order it names its columns, and
    /// nothing keeps the engine's own `hash` the same from release to release.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let json = |value: &str| format!("to_json(to_variant({value}))");
        let values = columns.iter().map(|(column, read)| {
            let value = match handling(column) {
                Handling::Plain => match column.kind {
                    // of any number of digits
                    ColumnKind::Integer | ColumnKind::Decimal => self.text(read),
                    ColumnKind::Boolean
                    | ColumnKind::Float
                    | ColumnKind::Text
                    | ColumnKind::Json
                    | ColumnKind::Binary
                    | ColumnKind::Date
                    | ColumnKind::Time
                    | ColumnKind::Timestamp
                    | ColumnKind::LocalTimestamp => json(read),
                },
                Handling::Moment | Handling::Textual => json(&self.text(read)),
                Handling::Bytes => json(&format!("hex_encode({read})")),
                Handling::Nested => format!("to_json({read})"),
                Handling::Shape => json(&format!("st_aswkt({read})")),
            };
            format!("coalesce({value}, '')")
        });
        let values = values.collect::<Vec<_>>().join(", ");
        format!("md5(concat_ws(',', {}, {values}))", literal(salt))
    }

    fn key_type(&self, id: &Column) -> String {
        let whole = id.native.starts_with("NUMBER(") && id.native.ends_with(",0)");
        if whole { "number(38,0)" } else { self.text_type() }.to_owned()
    }

    fn text_type(&self) -> &'static str {
        "varchar"
    }

    fn quote(&self, name: &str) -> String {
        quoted(name)
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn keeps_case(&self, name: &str) -> bool {
        !name.contains(|letter: char| letter.is_ascii_lowercase())
    }

    /// Names in quotes differ by case, and Ebb quotes all of a model's names.
    fn ignores_case(&self) -> bool {
        false
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("dateadd(second, -{seconds}, {moment})"))
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        match handling(column) {
            Handling::Plain | Handling::Moment | Handling::Bytes => expression.to_owned(),
            Handling::Nested => format!("to_json({expression})"),
            Handling::Shape => format!("st_aswkt({expression})"),
            Handling::Textual => self.text(expression),
        }
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        let odd = ["NaN", "inf", "-inf"].map(|odd| format!("cast('{odd}' as float)")).join(", ");
        (column.kind == ColumnKind::Float).then(|| format!("{expression} in ({odd})"))
    }

    /// A window function must be told an order, be it none.
    fn row_number(&self) -> String {
        "row_number() over (order by null)".to_owned()
    }

    fn transactions(&self) -> Transactions {
        Transactions::Gathered
    }

    fn create_table_as(&self, table: &str, query: &str) -> String {
        format!("create or replace transient table {table} as\n{query}")
    }

    fn create_shaped_records(&self, table: &str, shape: &str, query: &str) -> String {
        let shape = literal(shape);
        format!("create or replace transient table {table} comment = {shape} as\n{query}")
    }

    fn shape(&self, schema: &str, records: &str) -> Option<String> {
        Some(format!(
            "select comment from information_schema.tables where table_schema = {} and table_name = {}",
            literal(schema),
            literal(records)
        ))
    }

    fn lasting_seqs(&self, schema: &str, changes: &str) -> Option<String> {
        let sync = changes.strip_prefix("changes_").unwrap_or(changes);
        Some(self.table(schema, &format!("seqs_{sync}")))
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::SnowflakeDialect;
    use crate::dialect::Dialect;

    /// A column of each way in which types are handled.
    fn columns() -> [Column; 8] {
        [
            ("a", ColumnKind::Decimal, "NUMBER(38,0)"),
            ("it's \"b\\\"", ColumnKind::Text, "VARCHAR"),
            ("c", ColumnKind::Float, "FLOAT"),
            ("d", ColumnKind::Timestamp, "TIMESTAMP_TZ(9)"),
            ("e", ColumnKind::Binary, "BINARY"),
            ("f", ColumnKind::Json, "VARIANT"),
            ("g", ColumnKind::Text, "GEOGRAPHY"),
            ("h", ColumnKind::Text, "DECFLOAT"),
        ]
        .map(|(name, kind, native)| Column::new(name, kind, native))
    }

    #[test]
    fn a_checksum_takes_each_value_by_its_type() {
        let columns = columns();
        let read: Vec<_> = columns
            .iter()
            .map(|column| (column, format!("m.{}", SnowflakeDialect.quote(&column.name))))
            .collect();
        insta::assert_snapshot!(
            SnowflakeDialect.checksum("[]", &read).replace(", coalesce", ",\ncoalesce")
        );
    }

    #[test]
    fn columns_are_streamed_by_their_type() {
        let told = columns().map(|column| {
            let dialect = SnowflakeDialect;
            let (staged, key) = (dialect.staged(&column, "x"), dialect.key(&column, "x"));
            let odd = dialect.not_finite(&column, "x").unwrap_or_default();
            format!("{}: {staged} | {key} | {odd}", column.native)
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
