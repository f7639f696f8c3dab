//! Reading a model for people, and the changes for staging.

use ebb_core::Operation;

use super::more;
use crate::{dialect::Dialect, layout::Layout};

/// The first rows of the model in the form of a part, all as added; of one record if one is named.
pub(crate) fn preview<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    record_id: Option<&str>,
    limit: usize,
) -> String {
    let dialect = layout.dialect;
    let key = dialect.text(&layout.key());
    let columns = layout.job.columns.iter();
    let columns = more(columns.map(|column| dialect.staged(column, &layout.read(column))));
    let filter = record_id
        .map(|record_id| format!("\nwhere {key} = {}", dialect.literal(record_id)))
        .unwrap_or_default();
    format!(
        "select {seq}, {op}, {key}, {checksum}{columns}\nfrom (\n{query}\n) m{filter}\nlimit {limit}",
        seq = dialect.integer(&dialect.row_number()),
        op = dialect.integer(&Operation::Added.number().to_string()),
        checksum = dialect.text(&layout.checksum()),
        query = layout.query,
    )
}

/// The changes of some operations after a `seq`, in its order.
pub(crate) fn changes<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    operations: &[Operation],
    after: Option<u64>,
) -> String {
    let dialect = layout.dialect;
    let columns = layout.job.columns.iter().zip(&layout.stored);
    let columns = more(columns.map(|(column, name)| dialect.staged(column, name)));
    format!(
        "select {seq}, {op}, {record_id}, {checksum}{columns}\n{from}\n{order}",
        seq = dialect.integer("seq"),
        op = dialect.integer("op"),
        record_id = dialect.text("record_id"),
        checksum = dialect.text("checksum"),
        from = from(layout, operations, after),
        order = dialect.in_order(),
    )
}

/// How many of them there are.
pub(crate) fn count<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    operations: &[Operation],
    after: Option<u64>,
) -> String {
    format!("select count(*) {}", from(layout, operations, after))
}

fn from<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    operations: &[Operation],
    after: Option<u64>,
) -> String {
    let after = after.map(|seq| format!(" and seq > {seq}")).unwrap_or_default();
    format!("from {}\nwhere op in ({}){after}", layout.changes, numbers(operations))
}

/// Operations as a list of their numbers; a list that matches nothing if there is none.
pub(super) fn numbers(operations: &[Operation]) -> String {
    if operations.is_empty() {
        return "-1".to_owned();
    }
    operations.iter().map(|one| one.number().to_string()).collect::<Vec<_>>().join(", ")
}
