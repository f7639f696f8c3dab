//! The SQL of one warehouse family, as pure text.
//!
//! The statements of the diff, the commit and so on are written once, in [`crate::statement`], from
//! the hooks below. A new warehouse answers what has no default and overrides what its engine says
//! differently.

use std::borrow::Cow;

use ebb_core::{Column, ColumnKind, Failure};

use crate::statement;

/// What an engine puts into one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transactions {
    /// All statements of a session from `begin` to `commit`, those that make tables included; each
    /// sees what the ones before it did.
    Session,
    /// Statements of a session that write rows; one that makes or drops a table ends the transaction. A
    /// commit fills tables that were there before it began, and tables are swapped by renaming.
    Rows,
    /// Statements that write rows, gathered from `begin` to `commit` and run together at its end: they
    /// answer nothing. Statements that make tables stand for themselves.
    Gathered,
    /// One statement, which may replace a table by a query at once, also by one that reads the table. A
    /// commit writes the tracked records anew beside the current ones; the checkpoint's row says which
    /// count, and replacing it is the commit.
    Alone,
}

/// The SQL of one warehouse family. Every method gives text and knows nothing of a connection.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// The grammar by which models are judged.
    fn grammar(&self) -> Box<dyn sqlparser::dialect::Dialect>;

    /// A 64-bit checksum (or any value that compares and is never null) over the columns of a row.
    /// `columns` come sorted by name with the expression that reads each; `salt` names them all. Must
    /// tell `('a', null)` from `(null, 'a')` and must not depend on a session's settings.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String;

    /// The type in which identifiers of a column are stored and compared: the native one where that
    /// is a whole number, text or UUID, otherwise [`Dialect::text_type`].
    fn key_type(&self, id: &Column) -> String;

    /// An identifier in the type of [`Dialect::key_type`]; null stays null.
    fn key(&self, id: &Column, expression: &str) -> String {
        format!("cast({expression} as {})", self.key_type(id))
    }

    /// The type of text, which every identifier can be cast to.
    fn text_type(&self) -> &'static str {
        "text"
    }

    /// The text of an identifier or of a checksum.
    fn text(&self, expression: &str) -> String {
        format!("cast({expression} as {})", self.text_type())
    }

    /// The text of an identifier or of a checksum as it leaves the warehouse, where texts are compared in
    /// another form.
    fn shown(&self, expression: &str) -> String {
        self.text(expression)
    }

    /// A condition that an identifier's text is this one.
    fn identified(&self, expression: &str, record_id: &str) -> String {
        format!("{} = {}", self.text(expression), self.literal(record_id))
    }

    /// Whether a column's values are text, as far as the engine knows.
    fn is_text(&self, column: &Column) -> bool {
        column.kind == ColumnKind::Text
    }

    /// A condition that a value's text has this one in it, in small letters or capitals.
    fn holds(&self, expression: &str, text: &str) -> String {
        let (text, kept_as) = (self.literal(text), self.text_type());
        format!("position(lower({text}) in lower(cast({expression} as {kept_as}))) > 0")
    }

    /// The text of a timestamp column's value, from which [`Dialect::moment`] makes the same again.
    fn moment_text(&self, expression: &str) -> String {
        self.text(expression)
    }

    /// A timestamp column's value from the text that [`Dialect::moment_text`] made of it.
    fn moment(&self, column: &Column, text: &str) -> String {
        format!("cast({} as {})", self.literal(text), column.native)
    }

    /// A moment of a timestamp column, so many seconds earlier; `None` if the column's type does not say
    /// what a second is.
    fn earlier(&self, _column: &Column, _moment: &str, _seconds: u64) -> Option<String> {
        None
    }

    /// Null in the type of a column.
    fn null(&self, column: &Column) -> String {
        format!("cast(null as {})", column.native)
    }

    /// A name, quoted.
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A text literal.
    fn literal(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// A table of a schema, quoted.
    fn table(&self, schema: &str, table: &str) -> String {
        format!("{}.{}", self.quote(schema), self.quote(table))
    }

    /// A model's query in the form in which it can stand inside a statement. Fails if it cannot.
    fn model<'a>(&self, query: &'a str) -> Result<Model<'a>, Failure> {
        Ok(Model { with: String::new(), query: Cow::Borrowed(query) })
    }

    /// Whether the engine has a type for JSON. Where it has none, the names of text columns tell it.
    fn has_json(&self) -> bool {
        true
    }

    /// What lets a query give so many rows at most, where that stands after `select`, with a blank at its
    /// end.
    fn top(&self, _rows: u64) -> String {
        String::new()
    }

    /// What lets a query give so many rows at most, where that stands at its end; empty elsewhere.
    fn limit(&self, rows: u64) -> String {
        format!("limit {rows}")
    }

    /// Whether values of the column can identify records.
    fn can_identify(&self, column: &Column) -> bool {
        match column.kind {
            ColumnKind::Integer
            | ColumnKind::Decimal
            | ColumnKind::Text
            | ColumnKind::Date
            | ColumnKind::Time
            | ColumnKind::Timestamp
            | ColumnKind::LocalTimestamp => true,
            ColumnKind::Boolean | ColumnKind::Float | ColumnKind::Binary | ColumnKind::Json => {
                false
            }
        }
    }

    /// Whether column names that differ in case alone are the same to the engine.
    fn ignores_case(&self) -> bool {
        true
    }

    /// The expression by which a column is kept in the changes table, where the engine cannot keep
    /// every type of a query's result.
    fn stored(&self, _column: &Column, expression: &str) -> String {
        expression.to_owned()
    }

    /// The expression by which a column is streamed, in the form that the session's decoder expects, from what
    /// [`Dialect::stored`] made of it.
    fn staged(&self, _column: &Column, expression: &str) -> String {
        expression.to_owned()
    }

    /// A condition that is true for NaN and infinities; `None` for columns that never hold them.
    fn not_finite(&self, _column: &Column, _expression: &str) -> Option<String> {
        None
    }

    /// A 64-bit integer.
    fn integer(&self, expression: &str) -> String {
        format!("cast({expression} as bigint)")
    }

    /// The number of a row in an order of no meaning.
    fn row_number(&self) -> String {
        "row_number() over ()".to_owned()
    }

    /// The number of a row in a changes table, from 1 in an order of no meaning; `checksum` reads the row's,
    /// which may tell rows into groups where an engine cannot number many rows in a row.
    fn change_number(&self, _checksum: &str) -> String {
        self.row_number()
    }

    /// What an `update` or a `delete` of every row says at its end.
    fn every_row(&self) -> &'static str {
        ""
    }

    /// What a transaction holds.
    fn transactions(&self) -> Transactions {
        Transactions::Session
    }

    /// How a transaction begins.
    fn begin(&self) -> &'static str {
        "begin"
    }

    /// How it ends well.
    fn commit(&self) -> &'static str {
        "commit"
    }

    /// A query with a row if the managed schema is there; `None` where connecting makes it.
    fn schema_exists(&self, schema: &str) -> Option<String> {
        let schema = self.literal(schema);
        Some(format!("select 1 from information_schema.schemata where schema_name = {schema}"))
    }

    /// Creates the managed schema.
    fn create_schema(&self, schema: &str) -> String {
        format!("create schema if not exists {}", self.quote(schema))
    }

    /// A query with one row for each table of the managed schema: its name.
    fn all_tables(&self, schema: &str) -> String {
        let schema = self.literal(schema);
        format!("select table_name from information_schema.tables where table_schema = {schema}")
    }

    /// A query with one row for each column of the tables and views that the session's user may read, table
    /// after table, at most so many: schema, table, column, type, and `1` where a query finds the table without
    /// its schema. Neither the managed schema nor the engine's own are told.
    fn described_tables(&self, managed: &str, rows: u64) -> String {
        let hidden = ["information_schema", "pg_catalog", managed];
        statement::tables::described(self, &hidden, "data_type", rows)
    }

    /// The schema in which a query finds tables that it names without one.
    fn current_schema(&self) -> &'static str {
        "current_schema()"
    }

    /// Whether the engine reads a name of letters as it is written, without quotes around it.
    fn keeps_case(&self, _name: &str) -> bool {
        true
    }

    /// A query with one row for each of the tables that exists: its name.
    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables = tables.iter().map(|table| self.literal(table)).collect::<Vec<_>>().join(", ");
        format!("{} and table_name in ({tables})", self.all_tables(schema))
    }

    /// Creates a table of texts if it is not there.
    fn create_texts(&self, table: &str, columns: &[&str]) -> String {
        let text = self.text_type();
        let columns = columns.iter().map(|name| format!("{} {text}", self.quote(name)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!("create table if not exists {table} ({columns})")
    }

    /// Drops a table if it is there.
    fn drop_table(&self, table: &str) -> String {
        format!("drop table if exists {table}")
    }

    /// Creates a table from a query.
    fn create_table_as(&self, table: &str, query: &str) -> String {
        format!("create table {table} as\n{query}")
    }

    /// Creates a changes table from a query. It may be less durable than others, if
    /// [`Dialect::existing_tables`] leaves it out once it has lost its rows.
    fn create_changes_as(&self, table: &str, query: &str) -> String {
        self.create_table_as(table, query)
    }

    /// Whether the table of [`Dialect::create_changes_as`] numbers its rows itself in the query's order,
    /// in its column `seq`, which the query leaves out then.
    fn numbers_changes(&self) -> bool {
        false
    }

    /// Creates a table of tracked records, whose identifiers have a type of [`Dialect::key_type`].
    fn create_records_as(&self, table: &str, _key_type: &str, query: &str) -> String {
        self.create_table_as(table, query)
    }

    /// Takes the tracked records out whose identifiers a query `select {value} {from}` gives.
    fn delete_records(&self, records: &str, value: &str, from: &str) -> String {
        format!("delete from {records} where record_id in (select {value} {from})")
    }

    /// Whether the statement that writes the changes table as it finds them writes all of them, because that is
    /// cheaper than stopping at a limit. They are counted afterwards.
    fn probes_all(&self) -> bool {
        false
    }

    /// Sets the `op` of the rows of a changes table for which a condition is true.
    fn assign(&self, changes: &str, op: i64, condition: &str) -> String {
        format!("update {changes} set op = {op} where {condition}")
    }

    /// Sets the `op` of some rows of a changes table.
    fn mark(&self, changes: &str, op: i64, marked: &Marked<'_>) -> String {
        let Marked { condition, value, from } = marked;
        let condition = condition.map_or_else(String::new, |condition| format!("{condition} and "));
        format!(
            "update {changes} set op = {op} where {condition}record_id in (select {value} {from})"
        )
    }

    /// How temporary tables are made, on which the diff of an engine without full join relies; `None`
    /// for engines that have one.
    fn without_full_join(&self) -> Option<&dyn Scratch> {
        None
    }

    /// Makes the tracked records from a query, or anew from themselves, in one step, together with a
    /// text that tells their shape. Asked for only where [`Dialect::shape`] or
    /// `KnownTable::comment` tells it again.
    fn create_shaped_records(&self, table: &str, _shape: &str, query: &str) -> String {
        self.create_table_as(table, query)
    }

    /// A query for the shape of the tracked records, where no transaction changes a table's shape
    /// together with the checkpoint's row, so that the row may be behind; the row tells it elsewhere.
    fn shape(&self, _schema: &str, _records: &str) -> Option<String> {
        None
    }

    /// Finishes what an interrupted [`Dialect::create_shaped_records`] has left, where it is not one step.
    fn mend(&self, _schema: &str, _records: &str) -> Option<String> {
        None
    }

    /// The table of seqs that a commit fills, quoted: the temporary one of the usual name if `None`;
    /// elsewhere one that goes with the changes table of this bare name.
    fn lasting_seqs(&self, _schema: &str, _changes: &str) -> Option<String> {
        None
    }

    /// Indexes the tracked records, where the engine has no hash join; both are bare names. An index
    /// goes with its table.
    fn index_records(&self, _schema: &str, _records: &str) -> Option<String> {
        None
    }

    /// How many rows one statement can put in order, where an engine cannot do it with any number: more changes
    /// are streamed by several statements, each for a range of `seq`.
    fn rows_in_order(&self) -> Option<u64> {
        None
    }

    /// What makes a plain scan of a changes table come in the order of `seq`, `seq` being the alias of
    /// its growing row number; empty where a scan gives rows as they were written. Rows that are
    /// streamed are never updated, so they stay where they were written.
    fn in_order(&self) -> &'static str {
        "order by seq"
    }
}

/// A model's query, ready to stand inside a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    /// Common table expressions that must stand at the statement's beginning, each with a comma behind it.
    pub(crate) with: String,
    /// What stands in parentheses behind `from`.
    pub(crate) query: Cow<'a, str>,
}

/// Whether a kind of column says when something was: what is earlier can be told then.
pub(crate) const fn is_moment(kind: ColumnKind) -> bool {
    match kind {
        ColumnKind::Date | ColumnKind::Timestamp | ColumnKind::LocalTimestamp => true,
        ColumnKind::Boolean
        | ColumnKind::Integer
        | ColumnKind::Float
        | ColumnKind::Decimal
        | ColumnKind::Text
        | ColumnKind::Json
        | ColumnKind::Binary
        | ColumnKind::Time => false,
    }
}

/// The rows that [`Dialect::mark`] marks: those whose identifiers a query `select {value} {from}` gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marked<'a> {
    /// What must be true of a row besides.
    pub(crate) condition: Option<&'a str>,
    /// What the query selects.
    pub(crate) value: &'a str,
    /// Where it selects that from.
    pub(crate) from: &'a str,
}

/// Temporary tables of a session.
pub(crate) trait Scratch {
    /// Creates one from a query. Its columns `k`, which has a type of [`Dialect::key_type`], and `h`, a
    /// checksum, are indexed together.
    fn create_rows(&self, table: &str, key_type: &str, query: &str) -> String;

    /// Creates one from a query, without an index.
    fn create_plain(&self, table: &str, query: &str) -> String;

    /// Drops one if it is there.
    fn drop(&self, table: &str) -> String;
}
