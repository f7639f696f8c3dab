//! The control database as a file: `SQLite` with a write-ahead log.

mod connection;

use rusqlite::{Connection, params_from_iter};

use super::{
    fault::Fault,
    sql::{Row, Value},
};
pub(super) use connection::{open_reader, open_writer};

/// Runs a statement; see [`super::sql::Transaction::execute`].
pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
) -> Result<u64, Fault> {
    let changed = connection.prepare_cached(sql)?.execute(params_from_iter(values))?;
    Ok(changed as u64)
}

/// Reads all rows.
pub(super) fn query<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(&Row::Sqlite(row))?);
    }
    Ok(all)
}
