//! What was rebuilt takes the place of what is tracked by one renaming, together with its checkpoint:
//! for engines where a statement about tables ends the transaction.

use crate::{dialect::Dialect, layout::Layout};

/// The bare names of the tables that a swap needs for a moment: the next checkpoint, and what was
/// tracked before.
pub(crate) fn names(mapping: &str) -> [String; 3] {
    ["next", "old_records", "old_checkpoints"].map(|name| format!("{name}_{mapping}"))
}

/// The table that holds the next checkpoint until the swap, quoted.
pub(crate) fn next<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let [next, ..] = tables(layout);
    next
}

/// Drops what a swap leaves behind, or what an interrupted one has left.
pub(crate) fn clear<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> [String; 3] {
    tables(layout).map(|table| layout.dialect.drop_table(&table))
}

/// The swap.
pub(crate) fn rename<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let [next, old_records, old_checkpoints] = tables(layout);
    let checkpoints = layout.dialect.table(layout.schema, &layout.tables.checkpoints);
    let (records, rebuild) = (&layout.records, layout.rebuild());
    format!(
        "rename table {records} to {old_records}, {rebuild} to {records}, \
         {checkpoints} to {old_checkpoints}, {next} to {checkpoints}"
    )
}

fn tables<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> [String; 3] {
    names(&layout.job.mapping).map(|table| layout.dialect.table(layout.schema, &table))
}
