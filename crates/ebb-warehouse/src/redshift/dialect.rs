//! Redshift's SQL: PostgreSQL's of 2005, with distribution and functions of its own.

use ebb_core::{Column, ColumnKind};
use sqlparser::dialect::RedshiftSqlDialect;
use xxhash_rust::xxh3::xxh3_64;

use super::types::{Handling, LONGEST_TEXT, handling};
use crate::{
    dialect::{Dialect, is_moment},
    pgwire, statement,
};

/// Redshift's SQL.
#[derive(Debug)]
pub(crate) struct RedshiftDialect;

/// What stands for null in a checksum. It may as well be the hash of a value: that is as likely as any
/// other change that keeps a 64-bit checksum.
const NULL_HASH: &str = "1";

/// The 64-bit hash of a column's value, of fixed width, so that no two lists of values are folded from
/// the same bytes; never null, whatever the function makes of null.
fn hash(column: &Column, read: &str) -> String {
    let hash = match handling(column) {
        Handling::Plain | Handling::Single => format!("fnv_hash({read})"),
        Handling::Textual => format!("fnv_hash(cast({read} as {LONGEST_TEXT}))"),
        Handling::Padded => format!("fnv_hash(rtrim(cast({read} as {LONGEST_TEXT})))"),
        // As bytes, because longer ones do not fit into text.
        Handling::Super => format!("farmfingerprint64(json_serialize_to_varbyte({read}))"),
        Handling::Bytes => format!("farmfingerprint64({read})"),
        Handling::Shape => format!("fnv_hash(st_astext({read}))"),
        Handling::Sketch => format!("fnv_hash(hll_cardinality({read}))"),
        // Independent of how a session prints them.
        Handling::Months => format!(
            "fnv_hash(cast(extract(year from {read}) * 12 + extract(month from {read}) as bigint))"
        ),
        Handling::Time => {
            format!("fnv_hash(cast(extract(epoch from {read}) as double precision))")
        }
    };
    format!("case when {read} is null then {NULL_HASH} else {hash} end")
}

/// How deep one fold nests: a parser has its limits, and a model may have hundreds of columns.
const DEPTH: usize = 16;

/// Hashes of fixed width folded into one.
fn fold(hashes: &[String], seed: &str) -> String {
    let chain = |hashes: &[String]| {
        hashes.iter().fold(seed.to_owned(), |seed, hash| format!("fnv_hash({hash}, {seed})"))
    };
    if hashes.len() <= DEPTH {
        return chain(hashes);
    }
    fold(&hashes.chunks(DEPTH).map(chain).collect::<Vec<_>>(), seed)
}

impl Dialect for RedshiftDialect {
    fn grammar(&self) -> Box<dyn sqlparser::dialect::Dialect> {
        Box::new(RedshiftSqlDialect {})
    }

    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let salt = format!("cast('{}' as bigint)", xxh3_64(salt.as_bytes()).cast_signed());
        let hashes: Vec<_> = columns.iter().map(|(column, read)| hash(column, read)).collect();
        fold(&hashes, &salt)
    }

    fn key_type(&self, id: &Column) -> String {
        match id.native.as_str() {
            "smallint" | "integer" | "bigint" => "bigint".to_owned(),
            // A narrow key takes less memory in a join.
            native if native.starts_with("varchar(") => native.to_owned(),
            _ => LONGEST_TEXT.to_owned(),
        }
    }

    fn key(&self, id: &Column, expression: &str) -> String {
        let key = format!("cast({expression} as {})", self.key_type(id));
        if handling(id) == Handling::Padded { format!("rtrim({key})") } else { key }
    }

    fn text_type(&self) -> &'static str {
        LONGEST_TEXT
    }

    fn literal(&self, text: &str) -> String {
        // A backslash escapes in Redshift's literals, and does not in others' that read this.
        let parts: Vec<String> = text.split('\\').map(pgwire::literal).collect();
        match parts.as_slice() {
            [one] => one.clone(),
            parts => format!("({})", parts.join(" || chr(92) || ")),
        }
    }

    fn table(&self, schema: &str, table: &str) -> String {
        format!("{}.{}", self.quote(schema), self.quote(&pgwire::within_limit(table)))
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("{moment} - interval '{seconds} seconds'"))
    }

    fn stored(&self, column: &Column, expression: &str) -> String {
        match handling(column) {
            // A literal in a model has no type that a table could keep.
            Handling::Textual => format!("cast({expression} as {LONGEST_TEXT})"),
            Handling::Plain
            | Handling::Single
            | Handling::Padded
            | Handling::Super
            | Handling::Bytes
            | Handling::Shape
            | Handling::Sketch
            | Handling::Months
            | Handling::Time => expression.to_owned(),
        }
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        match handling(column) {
            Handling::Plain
            | Handling::Super
            | Handling::Bytes
            | Handling::Months
            | Handling::Time => expression.to_owned(),
            Handling::Single => format!("cast({expression} as double precision)"),
            Handling::Padded => format!("rtrim(cast({expression} as {LONGEST_TEXT}))"),
            Handling::Shape => format!("st_astext({expression})"),
            Handling::Sketch => format!("hll_cardinality({expression})"),
            Handling::Textual => format!("cast({expression} as {LONGEST_TEXT})"),
        }
    }

    fn can_identify(&self, column: &Column) -> bool {
        let fits =
            matches!(handling(column), Handling::Plain | Handling::Padded | Handling::Textual);
        fits && !matches!(
            column.kind,
            ColumnKind::Boolean | ColumnKind::Float | ColumnKind::Binary | ColumnKind::Json
        )
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        match column.kind {
            // By their text: whether NaN equals NaN depends on where the server compares them.
            ColumnKind::Float => Some(format!(
                "cast({expression} as varchar(32)) in ('NaN', 'Infinity', '-Infinity')"
            )),
            ColumnKind::Date => Some(format!("{expression} > '9999-12-31'")),
            ColumnKind::Timestamp | ColumnKind::LocalTimestamp => {
                Some(format!("{expression} >= '9999-12-30 22:00:01'"))
            }
            ColumnKind::Boolean
            | ColumnKind::Integer
            | ColumnKind::Decimal
            | ColumnKind::Text
            | ColumnKind::Binary
            | ColumnKind::Time
            | ColumnKind::Json => None,
        }
    }

    fn schema_exists(&self, schema: &str) -> Option<String> {
        // The information schema tells of the user's own schemas alone. Redshift folds quoted names to
        // lower case, unless it is told not to.
        Some(format!(
            "select 1 from pg_catalog.pg_namespace where lower(nspname) = {}",
            self.literal(&schema.to_lowercase())
        ))
    }

    fn all_tables(&self, schema: &str) -> String {
        format!(
            "select c.relname from pg_catalog.pg_class c \
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where lower(n.nspname) = {} and c.relkind = 'r'",
            self.literal(&schema.to_lowercase())
        )
    }

    fn described_tables(&self, managed: &str, rows: u64) -> String {
        let hidden = ["information_schema", "pg_catalog", "pg_internal", "pg_automv", managed];
        statement::tables::described(self, &hidden, "data_type", rows)
    }

    fn keeps_case(&self, name: &str) -> bool {
        pgwire::keeps_case(name)
    }

    fn existing_tables(&self, schema: &str, tables: &[&str]) -> String {
        let tables = tables
            .iter()
            .map(|table| self.literal(&pgwire::within_limit(table).to_lowercase()))
            .collect::<Vec<_>>()
            .join(", ");
        format!("{} and lower(c.relname) in ({tables})", self.all_tables(schema))
    }

    fn create_changes_as(&self, table: &str, query: &str) -> String {
        // Rows lie beside the tracked records that they are joined with, in the order of their stream.
        format!("create table {table}\ndiststyle key distkey(record_id) sortkey(seq)\nas\n{query}")
    }

    fn create_records_as(&self, table: &str, _key_type: &str, query: &str) -> String {
        format!(
            "create table {table}\ndiststyle key distkey(record_id) sortkey(record_id)\nas\n{query}"
        )
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::RedshiftDialect;
    use crate::dialect::Dialect;

    /// A column of each way in which types are handled.
    fn columns() -> [Column; 11] {
        [
            ("a", ColumnKind::Integer, "bigint"),
            ("b", ColumnKind::Text, "varchar(20)"),
            ("c", ColumnKind::Float, "real"),
            ("d", ColumnKind::Text, "char(5)"),
            ("e", ColumnKind::Json, "super"),
            ("f", ColumnKind::Binary, "varbyte"),
            ("g", ColumnKind::Text, "geometry"),
            ("h", ColumnKind::Integer, "hllsketch"),
            ("i", ColumnKind::Text, "interval year to month"),
            ("j", ColumnKind::Text, "interval day to second"),
            ("k", ColumnKind::Text, "varchar(65535)"),
        ]
        .map(|(name, kind, native)| Column::new(name, kind, native))
    }

    #[test]
    fn a_checksum_folds_the_hash_of_each_column() {
        let columns = columns();
        let two: Vec<_> =
            columns[..2].iter().map(|column| (column, format!("m.{}", column.name))).collect();
        insta::assert_snapshot!(RedshiftDialect.checksum("[\"a\",\"b\"]", &two));
    }

    #[test]
    fn many_columns_are_folded_in_groups() {
        let hashes =
            |count: usize| (0..count).map(|number| format!("h{number}")).collect::<Vec<_>>();
        let depth = |sql: &str| {
            let mut open = 0_usize;
            let depths = sql.chars().map(|one| {
                open = open + usize::from(one == '(') - usize::from(one == ')');
                open
            });
            depths.max()
        };
        assert_eq!(super::fold(&hashes(2), "s"), "fnv_hash(h1, fnv_hash(h0, s))");
        let many = super::fold(&hashes(512), "s");
        assert_eq!(many.matches(", s)").count(), 35, "32 groups, 2 of them, and all");
        assert!(depth(&many) < Some(40));
    }

    #[test]
    fn columns_are_hashed_kept_and_streamed_by_their_type() {
        let dialect = RedshiftDialect;
        let told = columns().map(|column| {
            let hash = super::hash(&column, "x");
            let (stored, staged) = (dialect.stored(&column, "x"), dialect.staged(&column, "x"));
            let (key, null) = (dialect.key(&column, "x"), dialect.null(&column));
            format!("{}: {hash} | {stored} | {staged} | {key} | {null}", column.native)
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_backslash_in_a_literal_escapes_nothing() {
        let literal = |text| RedshiftDialect.literal(text);
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"('a' || chr(92) || '''b')");
        assert_eq!(literal(r"\"), r"('' || chr(92) || '')");
    }

    #[test]
    fn what_only_prints_as_text_cannot_identify() {
        let told =
            columns().map(|column| (column.name.clone(), RedshiftDialect.can_identify(&column)));
        let can: Vec<_> = told.iter().filter(|(_, can)| *can).map(|(name, _)| &**name).collect();
        assert_eq!(can, ["a", "b", "d", "k"]);
    }
}
