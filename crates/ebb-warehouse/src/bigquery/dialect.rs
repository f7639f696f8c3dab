//! The SQL of BigQuery.

use ebb_core::{Column, ColumnKind};
use sqlparser::dialect::{BigQueryDialect as BigQueryGrammar, Dialect as Grammar};

use super::types::{Handling, handling};
use crate::dialect::{Dialect, Transactions};

/// Begins a transaction within a script.
pub(super) const BEGIN: &str = "begin transaction";
/// Ends it.
pub(super) const COMMIT: &str = "commit transaction";

/// So many groups of changes are numbered apart from each other, a power of two. To number all rows in one
/// go would be one worker's task, whatever their number.
const GROUPS: u32 = 1024;
/// So many rows are put in order by one statement: that is one worker's task, too.
const ROWS_IN_ORDER: u64 = 100_000;
const SECONDS_OF_A_DAY: u64 = 86_400;

/// BigQuery's SQL.
#[derive(Debug)]
pub(crate) struct BigQueryDialect;

/// A name, quoted.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A text literal, in which a backslash escapes and no line may end.
pub(super) fn literal(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{}'", text.replace('\n', "\\n").replace('\r', "\\r"))
}

/// A value in the form that its JSON, and both decoders, take whole.
fn told(column: &Column, read: &str) -> String {
    match handling(column) {
        Handling::Plain => read.to_owned(),
        Handling::Moment | Handling::Textual => format!("cast({read} as string)"),
        Handling::Bytes => format!("to_hex({read})"),
        Handling::Nested => format!("if({read} is null, null, to_json_string({read}))"),
        Handling::Shape => format!("st_astext({read})"),
    }
}

/// Whether Ebb's tables keep the text of a column's values.
fn is_text(column: &Column) -> bool {
    match handling(column) {
        Handling::Nested | Handling::Shape | Handling::Textual => true,
        Handling::Plain | Handling::Moment | Handling::Bytes => false,
    }
}

impl Dialect for BigQueryDialect {
    fn grammar(&self) -> Box<dyn Grammar> {
        Box::new(BigQueryGrammar {})
    }

    /// By the row's JSON, whose fingerprint the engine promises never to change. Columns are named in the
    /// salt and not in the JSON, which does not take every name.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let values = columns
            .iter()
            .enumerate()
            .map(|(place, (column, read))| format!("{} as c{place}", told(column, read)));
        let values = values.collect::<Vec<_>>().join(", ");
        format!("farm_fingerprint(concat({}, to_json_string(struct({values}))))", literal(salt))
    }

    fn key_type(&self, id: &Column) -> String {
        if id.native == "INT64" { "int64" } else { self.text_type() }.to_owned()
    }

    fn text_type(&self) -> &'static str {
        "string"
    }

    fn holds(&self, expression: &str, text: &str) -> String {
        let text = self.literal(text);
        format!("strpos(lower(cast({expression} as string)), lower({text})) > 0")
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        match column.native.as_str() {
            "TIMESTAMP" => Some(format!("timestamp_sub({moment}, interval {seconds} second)")),
            "DATETIME" => Some(format!("datetime_sub({moment}, interval {seconds} second)")),
            "DATE" => {
                let days = seconds.div_ceil(SECONDS_OF_A_DAY);
                Some(format!("date_sub({moment}, interval {days} day)"))
            }
            _ => None,
        }
    }

    fn quote(&self, name: &str) -> String {
        quoted(name)
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn can_identify(&self, column: &Column) -> bool {
        match column.kind {
            ColumnKind::Integer
            | ColumnKind::Decimal
            | ColumnKind::Date
            | ColumnKind::Time
            | ColumnKind::Timestamp
            | ColumnKind::LocalTimestamp => true,
            // Shapes, intervals and ranges have a text, and several texts mean the same.
            ColumnKind::Text => column.native == "STRING",
            ColumnKind::Boolean | ColumnKind::Float | ColumnKind::Binary | ColumnKind::Json => {
                false
            }
        }
    }

    /// In a form that comes out of a page and out of the Storage Read API alike.
    fn stored(&self, column: &Column, expression: &str) -> String {
        if is_text(column) { told(column, expression) } else { expression.to_owned() }
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        if is_text(column) { expression.to_owned() } else { told(column, expression) }
    }

    fn null(&self, column: &Column) -> String {
        let kept_as = if is_text(column) { self.text_type() } else { &column.native };
        format!("cast(null as {kept_as})")
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        (column.kind == ColumnKind::Float)
            .then(|| format!("is_nan({expression}) or is_inf({expression})"))
    }

    fn integer(&self, expression: &str) -> String {
        format!("cast({expression} as int64)")
    }

    /// A random one, whose number no worker has to count to.
    fn row_number(&self) -> String {
        "cast(rand() * 9e15 as int64)".to_owned()
    }

    fn change_number(&self, checksum: &str) -> String {
        let group = format!("({checksum} & {})", GROUPS - 1);
        format!("row_number() over (partition by {group}) * {GROUPS} + {group}")
    }

    fn every_row(&self) -> &'static str {
        " where true"
    }

    fn transactions(&self) -> Transactions {
        Transactions::Gathered
    }

    fn begin(&self) -> &'static str {
        BEGIN
    }

    fn commit(&self) -> &'static str {
        COMMIT
    }

    /// Opening a session that writes makes the dataset.
    fn schema_exists(&self, _schema: &str) -> Option<String> {
        None
    }

    fn create_table_as(&self, table: &str, query: &str) -> String {
        format!("create or replace table {table} as\n{query}")
    }

    /// Near to one another lies what one statement streams, so that it reads no more than that.
    fn create_changes_as(&self, table: &str, query: &str) -> String {
        format!("create or replace table {table} cluster by seq as\n{query}")
    }

    fn rows_in_order(&self) -> Option<u64> {
        Some(ROWS_IN_ORDER)
    }

    fn create_shaped_records(&self, table: &str, shape: &str, query: &str) -> String {
        let shape = literal(shape);
        format!("create or replace table {table} options (description = {shape}) as\n{query}")
    }

    fn lasting_seqs(&self, schema: &str, changes: &str) -> Option<String> {
        let sync = changes.strip_prefix("changes_").unwrap_or(changes);
        Some(self.table(schema, &format!("seqs_{sync}")))
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::BigQueryDialect;
    use crate::dialect::Dialect;

    /// A column of each way in which types are handled.
    fn columns() -> [Column; 9] {
        [
            ("a", ColumnKind::Integer, "INT64"),
            ("it's \"b\\\" `", ColumnKind::Text, "STRING"),
            ("c", ColumnKind::Float, "FLOAT64"),
            ("d", ColumnKind::Timestamp, "TIMESTAMP"),
            ("e", ColumnKind::Binary, "BYTES"),
            ("f", ColumnKind::Json, "ARRAY<STRUCT<`x` INT64>>"),
            ("g", ColumnKind::Text, "GEOGRAPHY"),
            ("h", ColumnKind::Text, "INTERVAL"),
            ("i", ColumnKind::Date, "DATE"),
        ]
        .map(|(name, kind, native)| Column::new(name, kind, native))
    }

    #[test]
    fn a_checksum_reads_every_column() {
        let columns = columns();
        let read: Vec<_> = columns
            .iter()
            .map(|column| (column, format!("m.{}", BigQueryDialect.quote(&column.name))))
            .collect();
        let salt = r#"["a","it's"]"#;
        insta::assert_snapshot!(BigQueryDialect.checksum(salt, &read).replace(", m.", ",\nm."));
    }

    #[test]
    fn columns_are_stored_and_streamed_by_their_type() {
        let told = columns().map(|column| {
            let dialect = BigQueryDialect;
            let (stored, staged) = (dialect.stored(&column, "x"), dialect.staged(&column, "x"));
            let (null, key) = (dialect.null(&column), dialect.key(&column, "x"));
            let odd = dialect.not_finite(&column, "x").unwrap_or_default();
            let earlier = dialect.earlier(&column, "x", 90_000).unwrap_or_default();
            format!("{}: {stored} | {staged} | {null} | {key} | {odd} | {earlier}", column.native)
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
