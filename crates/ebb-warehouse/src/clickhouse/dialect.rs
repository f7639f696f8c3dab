//! The SQL of ClickHouse.

use std::borrow::Cow;

use ebb_core::{Column, ColumnKind, Failure};
use sqlparser::dialect::{ClickHouseDialect as ClickHouseGrammar, Dialect as Grammar};

use super::types::{Handling, bare, handling, kept_as};
use crate::dialect::{Dialect, Marked, Model, Transactions, is_moment};

/// ClickHouse's SQL.
#[derive(Debug)]
pub(crate) struct ClickHouseDialect;

/// The type of texts; every text of Ebb's may be absent.
const TEXT: &str = "Nullable(String)";

/// A name, quoted; a backslash escapes in it.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A text literal, in which a backslash escapes.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A model as it stands inside a statement: names and joins mean there what they mean elsewhere.
pub(super) fn inner(query: &str) -> String {
    format!(
        "select * from (\n{query}\n) settings prefer_column_name_to_alias = 0, join_algorithm = 'default'"
    )
}

/// A value's text if it is not kept as that text already: a column is read from the model and from the
/// changes table alike.
fn unless_text(expression: &str, text: &str) -> String {
    format!(
        "if({expression} is null, null, if(toTypeName({expression}) in ('String', '{TEXT}'), \
         toString({expression}), {text}))"
    )
}

/// The text that tells all there is of a value, in which it is kept where its type cannot be kept as it is.
fn told(column: &Column, expression: &str) -> String {
    match handling(&column.native) {
        Handling::Nested => unless_text(expression, &format!("toJSONString({expression})")),
        // No text is turned into a shape; the cast is for the engine to see that it would be one.
        Handling::Shape => {
            unless_text(expression, &format!("wkt(cast({expression} as {}))", bare(&column.native)))
        }
        Handling::Interval => {
            let unit = bare(&column.native).trim_start_matches("Interval").to_lowercase();
            unless_text(expression, &format!("concat(toString({expression}), ' {unit}')"))
        }
        Handling::Seconds | Handling::Moment => {
            format!("cast(toTimeZone({expression}, 'UTC') as {TEXT})")
        }
        Handling::Boolean
        | Handling::Integer
        | Handling::Unsigned
        | Handling::Exact
        | Handling::Single
        | Handling::Double
        | Handling::Text
        | Handling::Unique
        | Handling::Date
        | Handling::Time
        | Handling::Textual => format!("cast({expression} as {TEXT})"),
    }
}

impl Dialect for ClickHouseDialect {
    fn grammar(&self) -> Box<dyn Grammar> {
        Box::new(ClickHouseGrammar {})
    }

    /// SipHash-2-4 of one text, which holds each value's text behind its length: how the engine itself would hash
    /// values of other types, or several at once, may change from version to version. Kinds are told, since a number
    /// and its text read alike.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let kinds: Vec<_> = columns.iter().map(|(column, _)| column.kind.as_str()).collect();
        let salt = literal(&format!("{salt} {}", kinds.join(" ")));
        let values = columns.iter().map(|(column, read)| {
            // A shape's own text has every digit.
            let text = if handling(&column.native) == Handling::Shape {
                format!("toString({read})")
            } else {
                told(column, read)
            };
            format!(", ifNull(concat(toString(length({text})), ':', {text}), '-')")
        });
        format!("sipHash64(concat({salt}{}))", values.collect::<String>())
    }

    fn key_type(&self, id: &Column) -> String {
        match handling(&id.native) {
            Handling::Integer => "Nullable(Int64)",
            Handling::Unsigned => "Nullable(UInt64)",
            Handling::Unique => "Nullable(UUID)",
            Handling::Boolean
            | Handling::Exact
            | Handling::Single
            | Handling::Double
            | Handling::Text
            | Handling::Date
            | Handling::Time
            | Handling::Seconds
            | Handling::Moment
            | Handling::Nested
            | Handling::Shape
            | Handling::Interval
            | Handling::Textual => TEXT,
        }
        .to_owned()
    }

    fn key(&self, id: &Column, expression: &str) -> String {
        let key_type = self.key_type(id);
        if key_type != TEXT {
            return format!("cast({expression} as {key_type})");
        }
        let text = told(id, expression);
        // Bytes that are no text are shown alike, so they are the same identifier.
        if handling(&id.native) == Handling::Text { format!("toValidUTF8({text})") } else { text }
    }

    fn text_type(&self) -> &'static str {
        TEXT
    }

    fn holds(&self, expression: &str, text: &str) -> String {
        let text = self.literal(text);
        format!("positionCaseInsensitiveUTF8(cast({expression} as {TEXT}), {text}) > 0")
    }

    fn moment(&self, column: &Column, text: &str) -> String {
        format!("cast({} as {})", literal(text), kept_as(&column.native))
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("{moment} - toIntervalSecond({seconds})"))
    }

    fn null(&self, column: &Column) -> String {
        format!("cast(null as {})", kept_as(&column.native))
    }

    fn quote(&self, name: &str) -> String {
        quoted(name)
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn model<'a>(&self, query: &'a str) -> Result<Model<'a>, Failure> {
        Ok(Model { with: String::new(), query: Cow::Owned(inner(query)) })
    }

    fn ignores_case(&self) -> bool {
        false
    }

    /// In UTC, so that its text is always the same moment; as text where a value could not be null.
    fn stored(&self, column: &Column, expression: &str) -> String {
        match handling(&column.native) {
            Handling::Nested
            | Handling::Shape
            | Handling::Interval
            | Handling::Time
            | Handling::Text
            | Handling::Textual => told(column, expression),
            Handling::Boolean
            | Handling::Integer
            | Handling::Unsigned
            | Handling::Exact
            | Handling::Single
            | Handling::Double
            | Handling::Unique
            | Handling::Date
            | Handling::Seconds
            | Handling::Moment => format!("cast({expression} as {})", kept_as(&column.native)),
        }
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        let cast = |to: &str| format!("cast({expression} as Nullable({to}))");
        match handling(&column.native) {
            Handling::Boolean => cast("Bool"),
            Handling::Integer => cast("Int64"),
            Handling::Double => cast("Float64"),
            Handling::Date => cast("Date32"),
            Handling::Seconds | Handling::Moment => cast("DateTime64(6, 'UTC')"),
            Handling::Single => format!("cast({} as Nullable(Float64))", cast("String")),
            Handling::Unsigned | Handling::Exact | Handling::Unique => cast("String"),
            Handling::Text
            | Handling::Time
            | Handling::Nested
            | Handling::Shape
            | Handling::Interval
            | Handling::Textual => format!("toValidUTF8({})", told(column, expression)),
        }
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        (column.kind == ColumnKind::Float)
            .then(|| format!("(isNaN({expression}) or isInfinite({expression}))"))
    }

    fn integer(&self, expression: &str) -> String {
        format!("cast({expression} as Int64)")
    }

    fn transactions(&self) -> Transactions {
        Transactions::Alone
    }

    fn schema_exists(&self, schema: &str) -> Option<String> {
        Some(format!("select 1 from system.databases where name = {}", literal(schema)))
    }

    /// With the engine that the server has for databases: on one server `Atomic`, in a service its own.
    fn create_schema(&self, schema: &str) -> String {
        format!("create database if not exists {}", quoted(schema))
    }

    fn all_tables(&self, schema: &str) -> String {
        format!("select name from system.tables where database = {}", literal(schema))
    }

    fn described_tables(&self, managed: &str, rows: u64) -> String {
        format!(
            "select database, table, name, type, if(database = currentDatabase(), 1, 0) from system.columns \
             where lower(database) not in ('system', 'information_schema', {}) \
             order by database, table, position limit {rows}",
            literal(&managed.to_lowercase())
        )
    }

    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables: Vec<_> = tables.iter().map(|table| literal(table)).collect();
        format!("{} and name in ({})", self.all_tables(schema), tables.join(", "))
    }

    /// In one step; what reads the table meanwhile sees it as it was, the query too.
    fn create_table_as(&self, table: &str, query: &str) -> String {
        format!("create or replace table {table} engine = MergeTree order by tuple() as\n{query}")
    }

    /// Its rows lie in their order, so that they are streamed without being sorted.
    fn create_changes_as(&self, table: &str, query: &str) -> String {
        format!("create or replace table {table} engine = MergeTree order by seq as\n{query}")
    }

    fn assign(&self, changes: &str, op: i64, condition: &str) -> String {
        let query = format!(
            "select c.* replace (case when {condition} then {op} else c.op end as op)\nfrom {changes} c"
        );
        self.create_changes_as(changes, &query)
    }

    fn mark(&self, changes: &str, op: i64, marked: &Marked<'_>) -> String {
        let Marked { condition, value, from } = marked;
        let condition = condition.map_or_else(String::new, |condition| format!("{condition} and "));
        let query = format!(
            "select c.* replace (case when {condition}t.k is not null then {op} else c.op end as op)\n\
             from {changes} c left join (select distinct {value} as k {from}) t on t.k = c.record_id"
        );
        self.create_changes_as(changes, &query)
    }

    fn lasting_seqs(&self, schema: &str, changes: &str) -> Option<String> {
        let sync = changes.strip_prefix("changes_").unwrap_or(changes);
        Some(self.table(schema, &format!("seqs_{sync}")))
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::Column;

    use super::{ClickHouseDialect, literal, quoted};
    use crate::{clickhouse::types, dialect::Dialect};

    /// A column of each way in which types are handled.
    fn columns() -> Vec<Column> {
        let natives = [
            "Bool",
            "Nullable(Int32)",
            "UInt64",
            "Decimal(38, 2)",
            "Float32",
            "Float64",
            "LowCardinality(String)",
            "UUID",
            "Date",
            "Time64(3)",
            "DateTime",
            "DateTime64(9, 'Asia/Tokyo')",
            "Array(Int32)",
            "Polygon",
            "IntervalDay",
            "Nullable(Nothing)",
        ];
        natives.into_iter().map(|native| types::column("x", native)).collect()
    }

    #[test]
    fn a_checksum_tells_each_value_behind_its_length() {
        let columns = columns();
        let read: Vec<_> = columns.iter().map(|column| (column, "m.x".to_owned())).collect();
        let told = ClickHouseDialect.checksum("[\"it's\"]", &read);
        insta::assert_snapshot!(told.replace(", ifNull", ",\nifNull"));
    }

    #[test]
    fn columns_are_stored_and_streamed_by_their_type() {
        let told = columns().into_iter().map(|column| {
            let dialect = ClickHouseDialect;
            let (stored, staged) = (dialect.stored(&column, "x"), dialect.staged(&column, "x"));
            let (key, null) = (dialect.key(&column, "x"), dialect.null(&column));
            let odd = dialect.not_finite(&column, "x").unwrap_or_default();
            let Column { kind, native, .. } = column;
            format!("{native} ({kind}):\n  {stored}\n  {staged}\n  {key}\n  {null}\n  {odd}")
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_moment_is_told_apart_from_its_zone() {
        let column = types::column("at", "DateTime64(3, 'Europe/Berlin')");
        let moment = ClickHouseDialect.moment(&column, "2026-01-02 10:11:12.123");
        assert_eq!(moment, "cast('2026-01-02 10:11:12.123' as Nullable(DateTime64(3, 'UTC')))");
        let earlier = ClickHouseDialect.earlier(&column, &moment, 600).unwrap();
        assert_eq!(earlier, format!("{moment} - toIntervalSecond(600)"));
        let number = types::column("at", "Int64");
        assert_eq!(ClickHouseDialect.earlier(&number, "7", 600), None);
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(quoted("a`b\\c"), "`a\\`b\\\\c`");
        assert_eq!(literal("it's \\"), "'it\\'s \\\\'");
    }
}
