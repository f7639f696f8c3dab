//! The commit: the tracked state takes changes over from the changes table alone.

use ebb_core::{Operation, port::Commit};

use super::{more, read::numbers};
use crate::{
    dialect::Dialect,
    layout::{Layout, aside},
    state::{self, State},
};

/// Which changes go in, as text for `from` and `where`.
#[derive(Debug)]
pub(crate) struct Applied {
    from: String,
    condition: String,
    /// Whether the table of seqs must be filled first.
    pub(crate) needs_seqs: bool,
}

impl Applied {
    /// What a commit applies.
    pub(crate) fn of<D: Dialect + ?Sized>(layout: &Layout<'_, D>, commit: &Commit) -> Self {
        let from = format!("{} c", layout.changes);
        let not_sent = format!("c.op not in ({})", numbers(&commit.subscribed));
        if commit.seqs.is_empty() {
            let applied = if commit.inverted { not_sent } else { "1 = 1".to_owned() };
            return Self { from, condition: applied, needs_seqs: false };
        }
        let listed = if commit.inverted { "s.seq is not null" } else { "s.seq is null" };
        Self {
            from: format!("{from} left join {} s on s.seq = c.seq", layout.seqs),
            condition: format!("({not_sent} or {listed})"),
            needs_seqs: true,
        }
    }

    /// The applied changes of some operations.
    fn of_operations(&self, operations: &[Operation]) -> String {
        format!("from {} where c.op in ({}) and {}", self.from, numbers(operations), self.condition)
    }
}

const WRITTEN: [Operation; 2] = [Operation::Added, Operation::Updated];

/// Makes the tracked records from the applied changes alone: nothing was tracked before.
pub(crate) fn create<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    applied: &Applied,
) -> Vec<String> {
    let columns = more(layout.kept().map(|(_, name)| format!("c.{name}")));
    let query =
        format!("select c.record_id, c.checksum{columns}\n{}", applied.of_operations(&WRITTEN));
    anew(layout, &query)
}

/// Makes the tracked records anew from a query.
fn anew<D: Dialect + ?Sized>(layout: &Layout<'_, D>, query: &str) -> Vec<String> {
    let drop = format!("drop table if exists {}", layout.records);
    let create = layout.dialect.create_records_as(&layout.records, &layout.key_type, query);
    [drop, create].into_iter().chain(index(layout)).collect()
}

/// Makes an empty table of tracked records, for [`fill`].
pub(crate) fn empty<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Vec<String> {
    let columns = more(layout.kept().map(|(_, name)| format!("c.{name}")));
    let changes = &layout.changes;
    anew(layout, &format!("select c.record_id, c.checksum{columns}\nfrom {changes} c where 1 = 0"))
}

/// Fills the tracked records with the applied changes: nothing was tracked before.
pub(crate) fn fill<D: Dialect + ?Sized>(layout: &Layout<'_, D>, applied: &Applied) -> [String; 2] {
    [format!("delete from {}", layout.records), insert(layout, applied)]
}

/// What the tracked records are once the applied changes are in, written beside the current ones; `None`
/// if that is what they are already. `applied_rows` tells how many changes are applied.
pub(crate) fn beside<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    applied: &Applied,
    applied_rows: u64,
) -> Option<String> {
    let columns = more(layout.kept().map(|(_, name)| format!("c.{name}")));
    let come = applied.of_operations(&WRITTEN);
    let come = format!("select c.record_id, c.checksum{columns}\n{come}");
    let query = match layout.state {
        Some(state) if applied_rows == 0 && is_in_shape(layout, state) => return None,
        Some(_) => format!(
            "{stay} left join (select c.record_id as k {gone}) g on g.k = {key}\nwhere g.k is null\n\
             union all\n{come}",
            stay = reshaped(layout),
            gone = applied.of_operations(&Operation::ALL),
            key = layout.tracked_key("r.record_id"),
        ),
        None => come,
    };
    let dialect = layout.dialect;
    Some(dialect.create_records_as(&layout.rebuild(), &layout.key_type, &query))
}

/// How many changes are applied.
pub(crate) fn count_applied(applied: &Applied) -> String {
    format!("select count(*) {}", applied.of_operations(&Operation::ALL))
}

fn index<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Option<String> {
    layout.dialect.index_records(layout.schema, &layout.tables.records)
}

/// Takes the applied changes out of the tracked records.
pub(crate) fn delete<D: Dialect + ?Sized>(layout: &Layout<'_, D>, applied: &Applied) -> String {
    let from = applied.of_operations(&Operation::ALL);
    layout.dialect.delete_records(&layout.records, "c.record_id", &from)
}

/// Puts the applied changes that are still there into the tracked records.
pub(crate) fn insert<D: Dialect + ?Sized>(layout: &Layout<'_, D>, applied: &Applied) -> String {
    let names = more(layout.kept().map(|(_, name)| name.to_owned()));
    let columns = more(layout.kept().map(|(_, name)| format!("c.{name}")));
    format!(
        "insert into {} (record_id, checksum{names})\nselect c.record_id, c.checksum{columns}\n{}",
        layout.records,
        applied.of_operations(&WRITTEN)
    )
}

/// Where the next sync of an incremental model starts, as one text; null if it stays where it is.
///
/// The newest of the applied changes, but not beyond the oldest one that failed, so that the failed
/// ones are read again. Rows that arrived late do not take it back.
pub(crate) fn checkpoint<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    applied: &Applied,
) -> Option<String> {
    let timestamp = layout.timestamp?;
    let place = layout.job.columns.iter().position(|column| column.name == timestamp.name)?;
    let name = layout.stored.get(place)?;
    let reached = layout
        .checkpoint()
        .map(|checkpoint| layout.dialect.moment(timestamp, checkpoint))
        .filter(|checkpoint| layout.earlier(timestamp, checkpoint).is_some());
    let newest = reached.map_or_else(
        || "b.newest".to_owned(),
        |reached| format!("case when b.newest < {reached} then {reached} else b.newest end"),
    );
    let text = layout.dialect.moment_text(&format!(
        "case when b.newest is null then null \
         when b.oldest is null or {newest} <= b.oldest then {newest} else b.oldest end",
    ));
    Some(format!(
        "select {text}\nfrom (\n  select max(case when {is} then c.{name} end) as newest, \
         min(case when {is} then null else c.{name} end) as oldest\n  \
         from {from} where c.op in ({written})\n) b",
        is = applied.condition,
        from = applied.from,
        written = numbers(&WRITTEN),
    ))
}

/// Brings the tracked records into the form that this job needs, where it differs: identifiers of
/// another type become text, kept columns come and go.
pub(crate) fn reshape<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Vec<String> {
    let mut statements = rebuilt(layout);
    if !statements.is_empty() {
        statements.extend(take_over(layout));
    }
    statements
}

/// The first part of [`reshape`], which writes the tracked records in their new form beside them.
pub(crate) fn rebuilt<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Vec<String> {
    match layout.state {
        Some(state) if !is_in_shape(layout, state) => rebuild(layout, &reshaped(layout)).to_vec(),
        Some(_) | None => Vec::new(),
    }
}

/// Gives the tracked records the shape that this job needs, in one statement of its own, where it
/// differs: what they say stays the same.
pub(crate) fn in_shape<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Option<String> {
    let query = match layout.state {
        Some(state) if is_in_shape(layout, state) => return None,
        Some(_) => reshaped(layout),
        None => {
            let columns = more(layout.kept().map(|(_, name)| format!("c.{name}")));
            format!(
                "select c.record_id, c.checksum{columns}\nfrom {} c where 1 = 0",
                layout.changes
            )
        }
    };
    let shape = State::shape(&layout.key_type, layout.kept().map(|(column, _)| column));
    Some(layout.dialect.create_shaped_records(&layout.records, &shape, &query))
}

fn is_in_shape<D: Dialect + ?Sized>(layout: &Layout<'_, D>, state: &State) -> bool {
    let wanted = layout.kept().map(|(column, _)| (&column.name, &column.native));
    let kept = state.kept.iter().map(|column| (&column.name, &column.native));
    state.key_type == layout.key_type && wanted.eq(kept)
}

/// The tracked records as this job needs them.
fn reshaped<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let columns = more(layout.kept().map(|(column, name)| match layout.tracked_column(column) {
        Some(old) => format!("r.{old} as {name}"),
        None => format!("{} as {name}", layout.dialect.null(column)),
    }));
    format!(
        "select {} as record_id, r.checksum{columns}\nfrom {} r",
        layout.tracked_key("r.record_id"),
        layout.records
    )
}

/// Writes what the tracked records are to become beside them.
pub(super) fn rebuild<D: Dialect + ?Sized>(layout: &Layout<'_, D>, query: &str) -> [String; 2] {
    let rebuild = layout.rebuild();
    let create = layout.dialect.create_records_as(&rebuild, &layout.key_type, query);
    [format!("drop table if exists {rebuild}"), create]
}

/// Makes what [`rebuild`] wrote the tracked records.
pub(crate) fn take_over<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Vec<String> {
    let (rebuild, records) = (layout.rebuild(), &layout.records);
    let statements = [
        format!("drop table {records}"),
        layout.dialect.create_records_as(
            records,
            &layout.key_type,
            &format!("select * from {rebuild}"),
        ),
        format!("drop table {rebuild}"),
    ];
    statements.into_iter().chain(index(layout)).collect()
}

/// Makes what [`rebuild`] wrote in the same shape the tracked records, by rows alone.
pub(crate) fn take_rows_over<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> [String; 2] {
    let columns = more(layout.kept().map(|(_, name)| name.to_owned()));
    let (rebuild, records) = (layout.rebuild(), &layout.records);
    [
        format!("delete from {records}"),
        format!(
            "insert into {records} (record_id, checksum{columns})\n\
             select record_id, checksum{columns} from {rebuild}"
        ),
    ]
}

/// Keeps the number of tracked records with the checkpoint, for whoever cannot ask within a
/// transaction.
pub(crate) fn keep_count<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let checkpoints = layout.dialect.table(layout.schema, &layout.tables.checkpoints);
    let records = layout.dialect.quote(state::RECORDS);
    let count = layout.dialect.text(&format!("({})", count(layout)));
    format!("update {checkpoints} set {records} = {count}")
}

/// Rows without identifier that the diff found, and records that it withheld.
pub(crate) fn unidentified<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!(
        "select count(case when op = {null} then 1 end), count(case when op = {withheld} then 1 end)\n\
         from {changes} where op in ({null}, {withheld})",
        null = aside::NULL,
        withheld = aside::WITHHELD,
        changes = layout.changes,
    )
}

/// How many records are tracked.
pub(crate) fn count<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!("select count(*) from {}", layout.records)
}
