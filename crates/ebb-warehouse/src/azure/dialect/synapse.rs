//! What a dedicated SQL pool of Synapse says differently: tables have a distribution and are made by
//! `create table … as`, and no statement about tables may stand in a transaction.
//!
//! No statement replaces a table either. The records in their next shape are made beside the old ones,
//! which are dropped; then the next ones are renamed. Where that was interrupted, the next ones alone
//! are there, complete, and [`mend`] renames them. Their shape is told by a column of theirs, whose name
//! is looked up in one small table.

use xxhash_rust::xxh3::xxh3_64;

use super::{
    into::with_column,
    names::{literal, quoted},
};

/// The form of a small table.
pub(super) const SMALL: &str = " with (distribution = round_robin, heap)";
/// The form of a table that is joined by identifier.
pub(super) const BY_RECORD: &str = " with (distribution = hash(record_id), heap)";

/// A table from a query.
pub(super) fn create(table: &str, form: &str, query: &str) -> String {
    format!("create table {table}{form} as\n{query}")
}

/// Drops a table if it is there.
pub(super) fn drop_table(table: &str) -> String {
    format!("if object_id({}) is not null drop table {table}", literal(table))
}

/// The records anew from a query, in another shape.
pub(super) fn create_shaped(records: &str, shape: &str, query: &str) -> String {
    let (shapes, next) = (shapes(records), next(records));
    let name = format!("shape_{:016x}", xxh3_64(shape.as_bytes()));
    let shaped = with_column(query, &format!("cast(null as bit) as {}", quoted(&name)));
    [
        format!(
            "if object_id({}) is null create table {shapes} \
             (name nvarchar(128), shape nvarchar(max)){SMALL}",
            literal(&shapes)
        ),
        format!(
            "insert into {shapes} (name, shape) select {name}, {shape} \
             where not exists (select 1 from {shapes} where name = {name})",
            name = literal(&name),
            shape = literal(shape),
        ),
        drop_table(&next),
        create(&next, BY_RECORD, &shaped),
        drop_table(records),
        rename(&next, records),
    ]
    .join(";\n")
}

/// Finishes what an interrupted [`create_shaped`] left.
pub(super) fn mend(records: &str) -> String {
    let next = next(records);
    format!(
        "if object_id({}) is null and object_id({}) is not null {}",
        literal(records),
        literal(&next),
        rename(&next, records)
    )
}

/// A query for the shape of the records.
pub(super) fn shape(records: &str) -> String {
    format!(
        "select s.shape from {} s join sys.columns c on c.name = s.name \
         where c.object_id = object_id({})",
        shapes(records),
        literal(records)
    )
}

fn rename(table: &str, records: &str) -> String {
    format!("rename object {table} to {}", bare(records).1)
}

/// The records while they are made.
fn next(records: &str) -> String {
    let (schema, name) = bare(records);
    format!("{schema}.[next_{}", name.strip_prefix('[').unwrap_or(name))
}

/// The table that all shapes of a schema are looked up in.
fn shapes(records: &str) -> String {
    format!("{}.[ebb_shapes]", bare(records).0)
}

/// A quoted table's schema and name.
fn bare(table: &str) -> (&str, &str) {
    // The name is the last that is quoted, and a bracket in it is doubled.
    table.rsplit_once(".[").map_or(("", table), |(schema, _)| {
        (schema, table.get(schema.len() + 1..).unwrap_or_default())
    })
}
