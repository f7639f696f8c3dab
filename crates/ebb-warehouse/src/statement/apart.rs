//! The diff of engines without a full join: the model is written to a temporary table in one pass, with
//! the values of the rows that differ alone, and the tracked records that none of them matches to
//! another.

use super::{diff::last_value, more};
use crate::{
    dialect::{Dialect, Scratch},
    layout::Layout,
};

/// The rows of the model.
const ROWS: &str = "ebb_rows";
/// The tracked records without a counterpart.
const GONE: &str = "ebb_gone";

/// The statements that write the changes table. `changes` makes the last of them from `differing`.
pub(super) fn write<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    scratch: &dyn Scratch,
    model: &str,
    changes: impl FnOnce(&str) -> String,
) -> Vec<String> {
    let tables = [ROWS, GONE].map(|table| layout.dialect.table(layout.schema, table));
    let [rows, gone] = &tables;
    let mut statements = tables.each_ref().map(|table| scratch.drop(table)).to_vec();
    statements.extend([
        scratch.create_rows(rows, &layout.key_type, &compared(layout, model)),
        scratch.create_plain(gone, &unmatched(layout, rows)),
        changes(&differing(layout, rows, gone)),
    ]);
    statements.extend(tables.each_ref().map(|table| scratch.drop(table)));
    statements
}

/// Each row of the model with the checksum of the tracked record that it matches, if there is one.
fn compared<D: Dialect + ?Sized>(layout: &Layout<'_, D>, model: &str) -> String {
    let columns = (0..layout.stored.len())
        .map(|place| format!("case when r.checksum is null then n.c{place} end as c{place}"));
    let records = &layout.records;
    let key = layout.tracked_key("r.record_id");
    // A key that is computed has no index: an engine may make one for a query that stands apart.
    let records = if key == "r.record_id" {
        records.clone()
    } else {
        format!("(select distinct {key} as record_id, r.checksum from {records} r)")
    };
    format!(
        "with {model}\n\
         select n.k, n.h, r.checksum as oh{columns}\n\
         from n left join {records} r on r.record_id = n.k and r.checksum = n.h",
        columns = more(columns),
    )
}

/// The tracked records that no row matches.
fn unmatched<D: Dialect + ?Sized>(layout: &Layout<'_, D>, rows: &str) -> String {
    let columns = layout.job.columns.iter().enumerate().filter_map(|(place, column)| {
        last_value(layout, column).map(|old| format!("r.{old} as c{place}"))
    });
    let key = layout.tracked_key("r.record_id");
    format!(
        "select {key} as k, r.checksum as oh{columns}\n\
         from {records} r left join {rows} n on n.k = {key} and n.h = r.checksum\n\
         where n.h is null",
        columns = more(columns),
        records = layout.records,
    )
}

/// `differing`, from both.
fn differing<D: Dialect + ?Sized>(layout: &Layout<'_, D>, rows: &str, gone: &str) -> String {
    let new = (0..layout.stored.len()).map(|place| format!("n.c{place}"));
    let old = layout.job.columns.iter().enumerate().map(|(place, column)| {
        last_value(layout, column).map_or_else(|| "null".to_owned(), |_| format!("g.c{place}"))
    });
    format!(
        "differing as (\n  select n.k, n.h, n.oh{new} from {rows} n where n.oh is null\n  \
         union all\n  select g.k, null, g.oh{old} from {gone} g\n)",
        new = more(new),
        old = more(old),
    )
}
