//! T-SQL, as SQL Server, Azure SQL and dedicated SQL pools of Synapse have it.

mod checksum;
mod into;
mod model;
mod names;
mod synapse;

use std::sync::{Arc, OnceLock};

use ebb_core::{Column, ColumnKind, Failure};
use sqlparser::dialect::MsSqlDialect;

use super::types::{Handling, exact_text, handling};
use crate::dialect::{Dialect, Model, Transactions, is_moment};
pub(super) use names::{literal, quoted};
pub(super) use synapse::SMALL;

/// Which of the servers answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// SQL Server, Azure SQL Database, Azure SQL Managed Instance.
    SqlServer,
    /// A dedicated SQL pool of Synapse.
    Synapse,
}

/// The SQL of a server that tells what it is when the first session opens; every statement comes
/// after that.
#[derive(Debug)]
pub(crate) struct TsqlDialect {
    product: Arc<OnceLock<Product>>,
}

/// The type of identifiers that are compared as text: the bytes of UTF-16, so that no collation makes
/// two of them one.
const TEXT: &str = "varbinary(900)";
/// Bytes of the longest identifier that is kept as it is.
const KEY_BYTES: u32 = 900;
/// Characters that are kept of a longer one, before the digest of all of it.
const KEY_PREFIX: u32 = 192;
/// What kept texts have in common, so that old and new ones can be chosen between.
const COLLATION: &str = "collate Latin1_General_BIN2";
/// The temporary table of seqs.
const SEQS: &str = "#ebb_seqs";

impl TsqlDialect {
    /// The SQL of a product that becomes known.
    pub(crate) fn new(product: Arc<OnceLock<Product>>) -> Self {
        Self { product }
    }

    fn product(&self) -> Product {
        self.product.get().copied().unwrap_or(Product::SqlServer)
    }

    fn is_synapse(&self) -> bool {
        self.product() == Product::Synapse
    }
}

/// Drops a table if it is there.
pub(super) fn drop_table(product: Product, table: &str) -> String {
    match product {
        Product::SqlServer => format!("drop table if exists {table}"),
        Product::Synapse => synapse::drop_table(table),
    }
}

/// Fills a table of seqs. A pool of Synapse takes one row of values alone.
pub(super) fn insert_seqs(product: Product, table: &str, seqs: &[u64]) -> String {
    let rows: Vec<String> = seqs
        .iter()
        .map(|seq| match product {
            Product::SqlServer => format!("({seq})"),
            Product::Synapse => format!("select {seq}"),
        })
        .collect();
    match product {
        Product::SqlServer => format!("insert into {table} (seq) values {}", rows.join(", ")),
        Product::Synapse => format!("insert into {table} (seq) {}", rows.join(" union all ")),
    }
}

/// A value in the type in which values of a column are kept.
fn kept(column: &Column, value: &str) -> String {
    match handling(column) {
        Handling::Text | Handling::Padded => format!("cast({value} as nvarchar(max)) {COLLATION}"),
        Handling::Variant => format!("cast({value} as nvarchar(4000)) {COLLATION}"),
        Handling::Bytes => format!("cast({value} as varbinary(max))"),
        Handling::Version => format!("cast({value} as binary(8))"),
        Handling::Integer
        | Handling::Bit
        | Handling::Decimal
        | Handling::Money
        | Handling::Float
        | Handling::Guid
        | Handling::Dated
        | Handling::Zoned
        | Handling::Shape
        | Handling::Path => format!("cast({value} as {})", column.native),
    }
}

impl Dialect for TsqlDialect {
    fn grammar(&self) -> Box<dyn sqlparser::dialect::Dialect> {
        Box::new(MsSqlDialect {})
    }

    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        checksum::of(salt, columns)
    }

    fn key_type(&self, id: &Column) -> String {
        match handling(id) {
            Handling::Integer => "bigint".to_owned(),
            Handling::Guid => "uniqueidentifier".to_owned(),
            Handling::Bit
            | Handling::Decimal
            | Handling::Money
            | Handling::Float
            | Handling::Text
            | Handling::Padded
            | Handling::Dated
            | Handling::Zoned
            | Handling::Bytes
            | Handling::Version
            | Handling::Variant
            | Handling::Shape
            | Handling::Path => TEXT.to_owned(),
        }
    }

    fn key(&self, id: &Column, expression: &str) -> String {
        let handling = handling(id);
        if self.key_type(id) != TEXT {
            return format!("cast({expression} as {})", self.key_type(id));
        }
        let text = exact_text(handling, expression);
        if !matches!(handling, Handling::Text | Handling::Padded | Handling::Variant) {
            return format!("cast({text} as {TEXT})");
        }
        // One too long to be compared fast is its beginning and a digest.
        format!(
            "cast(case when datalength({text}) <= {KEY_BYTES} then {text} \
             else left({text}, {KEY_PREFIX}) + N':' + \
             convert(nvarchar(64), hashbytes('SHA2_256', {text}), 2) end as {TEXT})"
        )
    }

    fn text_type(&self) -> &'static str {
        TEXT
    }

    fn text(&self, expression: &str) -> String {
        format!("cast({} as {TEXT})", self.shown(expression))
    }

    fn shown(&self, expression: &str) -> String {
        format!("cast({expression} as nvarchar(450))")
    }

    fn identified(&self, expression: &str, record_id: &str) -> String {
        format!("{} = {}", self.text(expression), self.text(&self.literal(record_id)))
    }

    fn holds(&self, expression: &str, text: &str) -> String {
        let text = self.literal(text);
        format!("charindex(lower({text}), lower(cast({expression} as nvarchar(max)))) > 0")
    }

    fn moment_text(&self, expression: &str) -> String {
        // For values that are no dates the style says nothing, or all digits of a float.
        format!("convert(nvarchar(50), {expression}, 121)")
    }

    fn moment(&self, column: &Column, text: &str) -> String {
        let text = self.literal(text);
        match handling(column) {
            Handling::Dated | Handling::Zoned => {
                format!("convert({}, {text}, 121)", column.native)
            }
            Handling::Text
            | Handling::Padded
            | Handling::Variant
            | Handling::Shape
            | Handling::Path
            | Handling::Bytes
            | Handling::Version => text,
            Handling::Integer
            | Handling::Bit
            | Handling::Decimal
            | Handling::Money
            | Handling::Float
            | Handling::Guid => format!("cast({text} as {})", column.native),
        }
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        const DAY: u64 = 86_400;
        let whole = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        is_moment(column.kind).then(|| {
            if column.kind == ColumnKind::Date {
                format!("dateadd(day, -{}, {moment})", whole(seconds.div_ceil(DAY)))
            } else {
                format!("dateadd(second, -{}, {moment})", whole(seconds))
            }
        })
    }

    fn null(&self, column: &Column) -> String {
        kept(column, "null")
    }

    fn quote(&self, name: &str) -> String {
        quoted(name)
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn table(&self, schema: &str, table: &str) -> String {
        format!("{}.{}", quoted(schema), quoted(table))
    }

    fn model<'a>(&self, query: &'a str) -> Result<Model<'a>, Failure> {
        model::hoisted(query)
    }

    fn has_json(&self) -> bool {
        false
    }

    fn top(&self, rows: u64) -> String {
        format!("top ({rows}) ")
    }

    fn limit(&self, _rows: u64) -> String {
        String::new()
    }

    /// A table made from a query takes over from it which columns are never null and which number
    /// themselves, but not from a choice.
    fn stored(&self, column: &Column, expression: &str) -> String {
        format!("case when {expression} is not null then {} end", kept(column, expression))
    }

    /// Few types go over the wire; the others go as text.
    fn staged(&self, column: &Column, expression: &str) -> String {
        match handling(column) {
            Handling::Integer => format!("cast({expression} as bigint)"),
            Handling::Bit | Handling::Float => expression.to_owned(),
            Handling::Dated => match column.kind {
                ColumnKind::Date => expression.to_owned(),
                ColumnKind::LocalTimestamp => format!("cast({expression} as datetime2)"),
                ColumnKind::Boolean
                | ColumnKind::Integer
                | ColumnKind::Float
                | ColumnKind::Decimal
                | ColumnKind::Text
                | ColumnKind::Binary
                | ColumnKind::Time
                | ColumnKind::Timestamp
                | ColumnKind::Json => exact_text(Handling::Dated, expression),
            },
            Handling::Zoned => {
                format!("cast(switchoffset({expression}, N'+00:00') as datetime2)")
            }
            Handling::Bytes | Handling::Version => {
                format!("cast({expression} as varbinary(max))")
            }
            handling @ (Handling::Decimal
            | Handling::Money
            | Handling::Text
            | Handling::Padded
            | Handling::Guid
            | Handling::Variant
            | Handling::Shape
            | Handling::Path) => exact_text(handling, expression),
        }
    }

    fn row_number(&self) -> String {
        "row_number() over (order by (select null))".to_owned()
    }

    fn transactions(&self) -> Transactions {
        if self.is_synapse() { Transactions::Gathered } else { Transactions::Session }
    }

    fn begin(&self) -> &'static str {
        "begin transaction"
    }

    fn commit(&self) -> &'static str {
        "commit transaction"
    }

    fn schema_exists(&self, schema: &str) -> Option<String> {
        Some(format!("select 1 from sys.schemas where name = {}", literal(schema)))
    }

    fn create_schema(&self, schema: &str) -> String {
        format!("create schema {}", quoted(schema))
    }

    /// In capitals, which a database that tells letters apart wants. Tables that another sync is making must not
    /// be waited for.
    fn described_tables(&self, managed: &str, rows: u64) -> String {
        let hint = if self.is_synapse() { "" } else { " with (nolock)" };
        format!(
            "select top ({rows}) TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, \
             case when TABLE_SCHEMA = schema_name() then 1 else 0 end \
             from INFORMATION_SCHEMA.COLUMNS{hint} \
             where TABLE_SCHEMA not in ('sys', 'INFORMATION_SCHEMA', {}) \
             order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
            literal(managed)
        )
    }

    /// Tables that another sync is making must not be waited for.
    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables: Vec<_> = tables.iter().map(|table| literal(table)).collect();
        let hint = if self.is_synapse() { "" } else { " with (nolock)" };
        format!(
            "select t.name from sys.tables t{hint} join sys.schemas s{hint} \
             on s.schema_id = t.schema_id where s.name = {} and t.name in ({})",
            literal(schema),
            tables.join(", ")
        )
    }

    fn create_texts(&self, table: &str, columns: &[&str]) -> String {
        let columns: Vec<_> =
            columns.iter().map(|name| format!("{} nvarchar(max)", quoted(name))).collect();
        let form = if self.is_synapse() { SMALL } else { "" };
        format!(
            "if object_id({}) is null create table {table} ({}){form}",
            literal(table),
            columns.join(", ")
        )
    }

    fn drop_table(&self, table: &str) -> String {
        drop_table(self.product(), table)
    }

    fn create_table_as(&self, table: &str, query: &str) -> String {
        if self.is_synapse() {
            return synapse::create(table, SMALL, query);
        }
        into::into(query, table)
    }

    fn create_changes_as(&self, table: &str, query: &str) -> String {
        if self.is_synapse() {
            return synapse::create(table, synapse::BY_RECORD, query);
        }
        into::into(query, table)
    }

    fn create_records_as(&self, table: &str, _key_type: &str, query: &str) -> String {
        self.create_changes_as(table, query)
    }

    fn create_shaped_records(&self, table: &str, shape: &str, query: &str) -> String {
        synapse::create_shaped(table, shape, query)
    }

    fn shape(&self, schema: &str, records: &str) -> Option<String> {
        self.is_synapse().then(|| synapse::shape(&self.table(schema, records)))
    }

    fn mend(&self, schema: &str, records: &str) -> Option<String> {
        self.is_synapse().then(|| synapse::mend(&self.table(schema, records)))
    }

    fn lasting_seqs(&self, schema: &str, changes: &str) -> Option<String> {
        Some(if self.is_synapse() {
            self.table(schema, &format!("seqs_{changes}"))
        } else {
            SEQS.to_owned()
        })
    }
}

#[cfg(test)]
mod tests;
