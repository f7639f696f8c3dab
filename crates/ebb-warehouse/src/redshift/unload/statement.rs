//! The statement that has the cluster write files.

use ebb_core::{Column, ColumnKind};

use super::super::types::{Handling, handling};
use crate::pgwire::literal;

/// What the changes end with; the statement says it itself.
const ORDER: &str = "\norder by seq";

/// Has the rows of a query written to files whose names begin with `to`, in the order of their `seq`.
///
/// One slice of the cluster writes at a time: then alone does the order hold from file to file.
/// Redshift wants every column named, and no name twice.
pub(super) fn unload(sql: &str, columns: &[Column], to: &str, role: &str) -> String {
    let names: Vec<_> = (1..=columns.len()).map(|number| format!("c{number}")).collect();
    let own = ["seq", "op", "record_id", "checksum"].map(str::to_owned);
    let selected = columns.iter().zip(&names).map(|(column, name)| {
        if is_written_as_text(column) {
            format!("cast({name} as varchar(65535)) as {name}")
        } else {
            name.clone()
        }
    });
    let selected = own.iter().cloned().chain(selected).collect::<Vec<_>>().join(", ");
    let named = own.iter().chain(&names).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rows = sql.strip_suffix(ORDER).unwrap_or(sql);
    let query = format!("select {selected}\nfrom (\n{rows}\n) as r ({named}){ORDER}");
    // What is quoted is read twice, and a backslash escapes in it.
    let query = literal(&query.replace('\\', "\\\\"));
    let role = if role == "default" { "default".to_owned() } else { literal(role) };
    format!(
        "unload ({query})\nto {}\niam_role {role}\nformat as parquet\nmanifest verbose\nparallel off\nmaxfilesize 256 mb",
        literal(to)
    )
}

/// Whether a column's values are written as the cursor would give them. Files have no types for all of
/// them, or ones with less room.
fn is_written_as_text(column: &Column) -> bool {
    match column.kind {
        ColumnKind::Boolean
        | ColumnKind::Integer
        | ColumnKind::Float
        | ColumnKind::Binary
        | ColumnKind::Json => false,
        ColumnKind::Decimal
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::Timestamp
        | ColumnKind::LocalTimestamp => true,
        ColumnKind::Text => matches!(handling(column), Handling::Months | Handling::Time),
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::unload;

    #[test]
    fn a_query_is_named_quoted_and_put_in_order() {
        let columns = [
            Column::new("a", ColumnKind::Text, "varchar(20)"),
            Column::new("b", ColumnKind::Decimal, "numeric(38,10)"),
            Column::new("c", ColumnKind::Text, "interval day to second"),
            Column::new("d", ColumnKind::Json, "super"),
        ];
        let sql = "select seq, op, record_id, checksum, \"it's\\\", b, c, d\nfrom t\norder by seq";
        insta::assert_snapshot!(unload(sql, &columns, "s3://b/p/", "arn:aws:iam::1:role/it's"));
        assert!(unload(sql, &columns, "s3://b/p/", "default").contains("\niam_role default\n"));
    }
}
