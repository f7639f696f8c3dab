//! Reading a model for people, and the changes for staging.

use ebb_core::{Column, Operation, port::Wanted};

use super::more;
use crate::{connection::Within, dialect::Dialect, layout::Layout};

/// Rows of the model in the form of a part, all as added.
pub(crate) fn preview<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    wanted: Wanted<'_>,
    limit: u64,
) -> String {
    let dialect = layout.dialect;
    let key = layout.key();
    let columns = layout.job.columns.iter();
    let columns = more(
        columns.map(|column| dialect.staged(column, &dialect.stored(column, &layout.read(column)))),
    );
    let filter = match wanted {
        Wanted::First => String::new(),
        Wanted::Record(record_id) => format!("\nwhere {}", dialect.identified(&key, record_id)),
        Wanted::Containing(text) => {
            let first = dialect.identified(&key, text);
            format!(
                "\nwhere {}\norder by case when {first} then 0 else 1 end",
                holding(layout, text)
            )
        }
    };
    format!(
        "{with}select {top}{seq}, {op}, {key}, {checksum}{columns}\nfrom (\n{query}\n) m{filter}{limit}",
        with = with(layout),
        top = dialect.top(limit),
        limit = super::limit(dialect, "\n", limit),
        key = dialect.shown(&key),
        seq = dialect.integer(&dialect.row_number()),
        op = dialect.integer(&Operation::Added.number().to_string()),
        checksum = dialect.shown(&layout.checksum()),
        query = layout.model.query,
    )
}

/// A condition that a row has a text in its identifier or in a column of text.
fn holding<D: Dialect + ?Sized>(layout: &Layout<'_, D>, text: &str) -> String {
    let Layout { dialect, job, .. } = layout;
    let read = |column: &&Column| dialect.is_text(column) || column.name == job.model.id;
    let columns = job.columns.iter().filter(read);
    let holds = columns.map(|column| {
        // As it leaves the warehouse: not every type that becomes text there can be cast to it.
        let shown = dialect.staged(column, &dialect.stored(column, &layout.read(column)));
        dialect.holds(&shown, text)
    });
    holds.collect::<Vec<_>>().join("\n   or ")
}

/// What must stand before a statement that has no common table expression but the model's.
fn with<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let with = layout.model.with.trim_end().trim_end_matches(',');
    if with.is_empty() { String::new() } else { format!("with {with}\n") }
}

/// The changes of some operations in a range of `seq`, in its order.
pub(crate) fn changes<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    operations: &[Operation],
    within: Within,
) -> String {
    let dialect = layout.dialect;
    let columns = layout.job.columns.iter().zip(&layout.stored);
    let columns = more(columns.map(|(column, name)| dialect.staged(column, name)));
    format!(
        "select {seq}, {op}, {record_id}, {checksum}{columns}\n{from}\n{order}",
        seq = dialect.integer("seq"),
        op = dialect.integer("op"),
        record_id = dialect.shown("record_id"),
        checksum = dialect.shown("checksum"),
        from = from(layout, operations, within),
        order = dialect.in_order(),
    )
}

/// The highest `seq` of the changes.
pub(crate) fn last<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!("select max(seq) from {}", layout.changes)
}

/// How many changes of some operations there are in a range of `seq`.
pub(crate) fn count<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    operations: &[Operation],
    within: Within,
) -> String {
    format!("select count(*) {}", from(layout, operations, within))
}

fn from<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    operations: &[Operation],
    within: Within,
) -> String {
    format!("from {}\nwhere {}", layout.changes, condition(operations, within))
}

/// A condition for the changes of some operations in a range of `seq`.
pub(crate) fn condition(operations: &[Operation], within: Within) -> String {
    let Within { after, until } = within;
    let after = after.map(|seq| format!(" and seq > {seq}")).unwrap_or_default();
    let until = until.map(|seq| format!(" and seq <= {seq}")).unwrap_or_default();
    format!("op in ({}){after}{until}", numbers(operations))
}

/// Operations as a list of their numbers; a list that matches nothing if there is none.
pub(super) fn numbers(operations: &[Operation]) -> String {
    if operations.is_empty() {
        return "-1".to_owned();
    }
    operations.iter().map(|one| one.number().to_string()).collect::<Vec<_>>().join(", ")
}
