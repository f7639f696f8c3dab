//! The SQL of Databricks.

use ebb_core::{Column, ColumnKind};
use sqlparser::dialect::{DatabricksDialect as DatabricksGrammar, Dialect as Grammar};

use super::types::{Handling, handling};
use crate::dialect::{Dialect, Marked, Transactions, is_moment};

/// Databricks' SQL.
#[derive(Debug)]
pub(crate) struct DatabricksDialect;

/// How nested values turn into JSON: nulls stand as such, moments keep microseconds, and the session's
/// time zone means nothing.
const JSON: &str = "map('ignoreNullFields', 'false', 'timeZone', 'UTC', \
                    'timestampFormat', 'yyyy-MM-dd\\'T\\'HH:mm:ss.SSSSSSXXX', \
                    'timestampNTZFormat', 'yyyy-MM-dd\\'T\\'HH:mm:ss.SSSSSS')";

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text literal, in which a backslash escapes.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

impl Dialect for DatabricksDialect {
    fn grammar(&self) -> Box<dyn Grammar> {
        Box::new(DatabricksGrammar {})
    }

    /// By the engine's 64-bit hash, which leaves nulls out: so it is told which values are null. It knows
    /// no nested values, and takes text to be what its collation says.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let values = columns.iter().map(|(column, read)| {
            let value = match handling(&column.native) {
                Handling::Boolean
                | Handling::Integer
                | Handling::Exact
                | Handling::Single
                | Handling::Double
                | Handling::Text
                | Handling::Binary
                | Handling::Date
                | Handling::Moment
                | Handling::LocalMoment => read.clone(),
                Handling::Collated => format!("cast({read} as binary)"),
                Handling::Nested | Handling::Shape | Handling::Time | Handling::Textual => {
                    self.staged(column, read)
                }
            };
            format!(", isnull({read}), {value}")
        });
        format!("xxhash64({}{})", literal(salt), values.collect::<String>())
    }

    fn key_type(&self, id: &Column) -> String {
        match (handling(&id.native), id.native.ends_with(",0)")) {
            (Handling::Integer, _) => "bigint",
            (Handling::Exact, true) => "decimal(38,0)",
            (_, _) => self.text_type(),
        }
        .to_owned()
    }

    fn key(&self, id: &Column, expression: &str) -> String {
        let handling = handling(&id.native);
        if handling == Handling::Moment {
            self.moment_text(expression)
        } else if handling == Handling::Collated {
            format!("({expression} collate UTF8_BINARY)")
        } else {
            format!("cast({expression} as {})", self.key_type(id))
        }
    }

    fn text_type(&self) -> &'static str {
        "string"
    }

    /// As JSON writes it: a moment's text must not depend on the session's time zone.
    fn moment_text(&self, expression: &str) -> String {
        format!("get_json_object(to_json(struct({expression} as t), {JSON}), '$.t')")
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("{moment} - interval '{seconds}' second"))
    }

    fn null(&self, column: &Column) -> String {
        let is_text = handling(&column.native) == Handling::Textual;
        let kept_as = if is_text { self.text_type() } else { &column.native };
        format!("cast(null as {kept_as})")
    }

    fn quote(&self, name: &str) -> String {
        quoted(name)
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn stored(&self, column: &Column, expression: &str) -> String {
        let is_text = handling(&column.native) == Handling::Textual;
        if is_text { self.text(expression) } else { expression.to_owned() }
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        match handling(&column.native) {
            Handling::Boolean
            | Handling::Double
            | Handling::Text
            | Handling::Collated
            | Handling::Binary
            | Handling::Date
            | Handling::Moment
            | Handling::LocalMoment => expression.to_owned(),
            Handling::Integer => self.integer(expression),
            Handling::Exact | Handling::Time | Handling::Textual => self.text(expression),
            Handling::Single => format!("cast({} as double)", self.text(expression)),
            Handling::Nested => format!("to_json({expression}, {JSON})"),
            Handling::Shape => format!("st_astext({expression})"),
        }
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        let odd = ["NaN", "Infinity", "-Infinity"].map(|odd| format!("double('{odd}')")).join(", ");
        (column.kind == ColumnKind::Float).then(|| format!("{expression} in ({odd})"))
    }

    /// Unlike `row_number`, it does not gather all rows in one place. It leaves gaps.
    fn row_number(&self) -> String {
        "1 + monotonically_increasing_id()".to_owned()
    }

    fn transactions(&self) -> Transactions {
        Transactions::Alone
    }

    /// Names are kept in lower case.
    fn schema_exists(&self, schema: &str) -> Option<String> {
        let schema = literal(&schema.to_lowercase());
        Some(format!("select 1 from information_schema.schemata where schema_name = {schema}"))
    }

    /// Its other name is a word that not every version of Spark takes for a function.
    fn current_schema(&self) -> &'static str {
        "current_database()"
    }

    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables: Vec<_> = tables.iter().map(|table| literal(&table.to_lowercase())).collect();
        format!(
            "select table_name from information_schema.tables where table_schema = {} and table_name in ({})",
            literal(&schema.to_lowercase()),
            tables.join(", ")
        )
    }

    /// In one step; what reads the table meanwhile sees it as it was, the query too. The property lets
    /// columns have names with blanks.
    fn create_table_as(&self, table: &str, query: &str) -> String {
        format!(
            "create or replace table {table} tblproperties ('delta.columnMapping.mode' = 'name') as\n{query}"
        )
    }

    /// A limit would gather all rows in one place.
    fn probes_all(&self) -> bool {
        true
    }

    fn assign(&self, changes: &str, op: i64, condition: &str) -> String {
        let query = format!(
            "select c.* except (op), case when {condition} then {op} else c.op end as op\nfrom {changes} c"
        );
        self.create_table_as(changes, &query)
    }

    fn mark(&self, changes: &str, op: i64, marked: &Marked<'_>) -> String {
        let Marked { condition, value, from } = marked;
        let condition = condition.map_or_else(String::new, |condition| format!("{condition} and "));
        let query = format!(
            "select c.* except (op), case when {condition}t.k is not null then {op} else c.op end as op\n\
             from {changes} c left join (select distinct {value} as k {from}) t on t.k = c.record_id"
        );
        self.create_table_as(changes, &query)
    }

    fn lasting_seqs(&self, schema: &str, changes: &str) -> Option<String> {
        let sync = changes.strip_prefix("changes_").unwrap_or(changes);
        Some(self.table(schema, &format!("seqs_{sync}")))
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::DatabricksDialect;
    use crate::{databricks::types, dialect::Dialect};

    /// A column of each way in which types are handled.
    fn columns() -> Vec<Column> {
        let natives = [
            "BOOLEAN",
            "SMALLINT",
            "DECIMAL(20,0)",
            "DECIMAL(20,2)",
            "FLOAT",
            "DOUBLE",
            "VARCHAR(9)",
            "STRING COLLATE UTF8_LCASE",
            "BINARY",
            "DATE",
            "TIME(6)",
            "TIMESTAMP",
            "TIMESTAMP_NTZ",
            "STRUCT<a: INT>",
            "VARIANT",
            "GEOGRAPHY(4326)",
            "INTERVAL DAY TO SECOND",
        ];
        natives.into_iter().map(types::of).collect()
    }

    #[test]
    fn a_checksum_says_what_is_null() {
        let columns = columns();
        let read: Vec<_> = columns.iter().map(|column| (column, "m.x".to_owned())).collect();
        let told = DatabricksDialect.checksum("[\"it's\"]", &read);
        insta::assert_snapshot!(told.replace(", isnull", ",\nisnull"));
    }

    #[test]
    fn columns_are_stored_and_streamed_by_their_type() {
        let told = columns().into_iter().map(|column| {
            let dialect = DatabricksDialect;
            let (stored, staged) = (dialect.stored(&column, "x"), dialect.staged(&column, "x"));
            let (key, null) = (dialect.key(&column, "x"), dialect.null(&column));
            let odd = dialect.not_finite(&column, "x").unwrap_or_default();
            let Column { kind, native, .. } = column;
            format!("{native} ({kind}): {stored} | {staged} | {key} | {null} | {odd}")
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_moment_is_told_apart_from_its_session() {
        let column = Column::new("at", ColumnKind::Timestamp, "TIMESTAMP");
        let moment = DatabricksDialect.moment(&column, "2026-01-02T10:11:12.123456Z");
        assert_eq!(moment, "cast('2026-01-02T10:11:12.123456Z' as TIMESTAMP)");
        let earlier = DatabricksDialect.earlier(&column, &moment, 600).unwrap();
        assert_eq!(earlier, format!("{moment} - interval '600' second"));
    }
}
