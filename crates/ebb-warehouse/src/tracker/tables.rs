//! The tables of a source, for people who write models.

use ebb_core::{
    Failure,
    port::{Table, TableColumn, Tables},
};

use super::Tracker;
use crate::{
    connection::{Access, Connection},
    dialect::Dialect,
    reserved::is_reserved,
    setup::is_plain,
};

pub(super) async fn tables<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
) -> Result<Tables, Failure> {
    let mut session = tracker.connection.open(Access::Read).await?;
    // One more tells that there are more.
    let most = Tables::MOST_COLUMNS + 1;
    let rows = if let Some(rows) = session.described_tables(most).await? {
        rows
    } else {
        session.rows(&tracker.dialect.described_tables(&tracker.schema, most as u64)).await?
    };
    Ok(gathered(&tracker.dialect, rows))
}

/// Tables of rows as [`Dialect::described_tables`] gives them.
fn gathered<D: Dialect + ?Sized>(dialect: &D, rows: Vec<Vec<Option<String>>>) -> Tables {
    let mut told = Tables { tables: Vec::new(), cut: rows.len() > Tables::MOST_COLUMNS };
    for row in rows.into_iter().take(Tables::MOST_COLUMNS) {
        let Ok([schema, name, column, native, at_hand]) = <[Option<String>; 5]>::try_from(row)
        else {
            continue;
        };
        let (Some(schema), Some(name), Some(column)) = (schema, name, column) else { continue };
        let column = TableColumn {
            sql: written(dialect, &column),
            name: column,
            native: native.unwrap_or_default(),
        };
        match told.tables.last_mut() {
            Some(last) if last.schema == schema && last.name == name => last.columns.push(column),
            Some(_) | None => {
                if told.tables.len() == Tables::MOST_TABLES {
                    told.cut = true;
                    return told;
                }
                let bare = written(dialect, &name);
                let sql = if at_hand.as_deref() == Some("1") {
                    bare
                } else {
                    format!("{}.{bare}", written(dialect, &schema))
                };
                told.tables.push(Table { schema, name, sql, columns: vec![column] });
            }
        }
    }
    told
}

/// A name as a query writes it: quoted where it must be.
fn written<D: Dialect + ?Sized>(dialect: &D, name: &str) -> String {
    let plain = is_plain(&name.to_ascii_lowercase());
    if plain && dialect.keeps_case(name) && !is_reserved(name) {
        name.to_owned()
    } else {
        dialect.quote(name)
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::port::Tables;

    use super::gathered;
    use crate::{mysql::MysqlDialect, redshift::RedshiftDialect};

    fn row(values: [&str; 5]) -> Vec<Option<String>> {
        values.into_iter().map(|value| Some(value.to_owned())).collect()
    }

    #[test]
    fn names_are_quoted_where_a_query_needs_it() {
        let rows = || {
            vec![
                row(["public", "users", "id", "bigint", "1"]),
                row(["public", "users", "Full name", "text", "1"]),
                row(["public", "users", "order", "text", "1"]),
                row(["marts", "Orders", "Total", "numeric", "0"]),
            ]
        };
        let told = gathered(&RedshiftDialect, rows());
        let names: Vec<_> = told
            .tables
            .iter()
            .flat_map(|table| table.columns.iter().map(|column| (&*table.sql, &*column.sql)))
            .collect();
        let expected = [
            ("users", "id"),
            ("users", "\"Full name\""),
            ("users", "\"order\""),
            ("marts.\"Orders\"", "\"Total\""),
        ];
        assert_eq!(names, expected);
        let told = gathered(&MysqlDialect, rows());
        assert_eq!(told.tables[1].sql, "marts.Orders");
        assert_eq!(told.tables[0].columns[1].sql, "\"Full name\"");
        assert!(!told.cut);
    }

    #[test]
    fn what_is_too_much_is_cut_and_said() {
        let many = |count: usize, table: &dyn Fn(usize) -> String| {
            let rows = (0..count).map(|n| row(["s", &table(n), "c", "int", "1"])).collect();
            gathered(&RedshiftDialect, rows)
        };
        let tables = many(Tables::MOST_TABLES + 1, &|number| format!("t{number}"));
        assert_eq!((tables.tables.len(), tables.cut), (Tables::MOST_TABLES, true));
        let columns = many(Tables::MOST_COLUMNS + 1, &|_| "t".to_owned());
        assert_eq!((columns.tables[0].columns.len(), columns.cut), (Tables::MOST_COLUMNS, true));
        assert!(!many(Tables::MOST_TABLES, &|number| format!("t{number}")).cut);
    }
}
