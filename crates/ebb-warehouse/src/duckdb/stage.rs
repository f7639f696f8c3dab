//! Turns DuckDB's batches into staged ones.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, RecordBatch, StructArray, cast::AsArray, types::TimestampMicrosecondType,
};
use arrow_schema::{DataType, SchemaRef};
use duckdb::Connection;
use ebb_core::{Code, Column, Failure, record::staged_schema};

use super::session::failed;

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
        if !rows.is_empty() && !send(staged(&rows, &schema)?) {
            break;
        }
    }
    Ok(())
}

fn staged(rows: &StructArray, schema: &SchemaRef) -> Result<RecordBatch, Failure> {
    let columns = rows
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| typed(column, field.data_type()))
        .collect();
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| {
        Failure::new(Code::SourceQuery, "DuckDB gave rows of another form than it promised")
            .caused_by(error)
    })
}

/// The same values under the staged type: moments bear the name of a time zone, which means nothing.
fn typed(column: &ArrayRef, wanted: &DataType) -> ArrayRef {
    match (column.as_primitive_opt::<TimestampMicrosecondType>(), wanted) {
        (Some(moments), DataType::Timestamp(_, zone)) => {
            Arc::new(moments.clone().with_timezone_opt(zone.clone()))
        }
        _ => Arc::clone(column),
    }
}
