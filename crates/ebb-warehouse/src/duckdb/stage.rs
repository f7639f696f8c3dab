//! Turns DuckDB's batches into staged ones.

use arrow_array::{Array, RecordBatch};
use duckdb::Connection;
use ebb_core::{Column, Failure, record::staged_schema};

use super::session::failed;
use crate::arrow::staged;

/// Runs a query and hands its rows over as batches, until nobody takes them.
pub(super) fn stream(
    connection: &Connection,
    sql: &str,
    columns: &[Column],
    send: &mut dyn FnMut(RecordBatch) -> bool,
) -> Result<(), Failure> {
    let schema = staged_schema(columns).into();
    let mut statement = connection.prepare(sql).map_err(failed)?;
    // The iterator panics on errors, the statement's own steps do not.
    drop(statement.stream_arrow([]).map_err(failed)?);
    while let Some(rows) = statement.step().map_err(failed)? {
        if !rows.is_empty() && !send(staged(rows.columns(), &schema, "DuckDB")?) {
            break;
        }
    }
    Ok(())
}
