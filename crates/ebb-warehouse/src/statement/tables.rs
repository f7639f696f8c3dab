//! The tables of a source with their columns, by the catalog that most engines have.

use super::limit;
use crate::dialect::Dialect;

/// One row for each column of what the session's user may read, table after table: schema, table, column, type,
/// and `1` where a query finds the table without its schema. `hidden` schemas are left out, by their names in
/// lower case.
pub(crate) fn described<D: Dialect + ?Sized>(
    dialect: &D,
    hidden: &[&str],
    native: &str,
    rows: u64,
) -> String {
    let hidden: Vec<_> =
        hidden.iter().map(|schema| dialect.literal(&schema.to_lowercase())).collect();
    format!(
        "select {top}table_schema, table_name, column_name, {native},\n\
         case when table_schema = {current} then 1 else 0 end\n\
         from information_schema.columns\n\
         where lower(table_schema) not in ({hidden})\n\
         order by table_schema, table_name, ordinal_position{limit}",
        top = dialect.top(rows),
        current = dialect.current_schema(),
        hidden = hidden.join(", "),
        limit = limit(dialect, "\n", rows),
    )
}
