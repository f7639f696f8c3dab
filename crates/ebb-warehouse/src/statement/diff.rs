//! The diff: one statement that evaluates the model once and writes only the rows that differ.
//!
//! The join is on the pair of identifier and checksum. What matches is unchanged; what does not is a
//! row of the model (`h` is there) or a tracked record (`oh` is there). Both sides of one identifier
//! are an update, several rows of the model are a duplicate. Windows run over the differing rows
//! alone, so an unchanged model costs the bare join.

use ebb_core::{Column, Operation};

use super::{apart, more};
use crate::{
    dialect::{Dialect, Marked},
    layout::{Layout, aside},
};

/// How the rows to be written are chosen when there may be too many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// At most so many rows of any kind, as they come. Two tests are left to later statements
    /// ([`mark_duplicates`], [`mark_twins`]), which need that no row was left out.
    Probe(u64),
    /// At most so many rows, fully classified, real changes first, in the order of the timestamp.
    Ordered(u64),
}

/// The statements that write the changes table, one where the engine can say it in one. The model is
/// evaluated once.
pub(crate) fn write<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    selection: Selection,
) -> Vec<String> {
    let shape = Shape::of(layout);
    let model = model(layout, shape);
    let with = match (shape, selection) {
        (Shape::First, Selection::Probe(_)) => {
            let added = Operation::Added.number();
            format!("{model},\nclassified as (\n  select n.*, {added} as op from n\n)")
        }
        (Shape::First, Selection::Ordered(_)) => format!("{model},\n{}", first(layout)),
        (Shape::Full, _) => {
            let with_twins = matches!(selection, Selection::Ordered(_));
            if let Some(scratch) = layout.dialect.without_full_join() {
                return apart::write(layout, scratch, &model, |differing| {
                    let with = format!("{differing},\n{}", full(layout, with_twins));
                    changes(layout, selection, &with)
                });
            }
            format!("{model},\n{},\n{}", differing(layout), full(layout, with_twins))
        }
        (Shape::Incremental, _) => format!("{model},\n{}", incremental(layout)),
    };
    vec![changes(layout, selection, &with)]
}

/// The statement that writes the changes table from `classified`.
fn changes<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    selection: Selection,
    with: &str,
) -> String {
    let stored = layout.stored.iter().enumerate();
    let columns = more(stored.map(|(place, name)| format!("c{place} as {name}")));
    let (ordered, limit) = match selection {
        Selection::Probe(limit) => (String::new(), layout.dialect.probe_limit(limit)),
        Selection::Ordered(limit) => {
            let moment = layout
                .timestamp
                .and_then(|timestamp| place(layout, &timestamp.name))
                .map(|place| format!(", case when c{place} is null then 1 else 0 end, c{place}"))
                .unwrap_or_default();
            let kind = format!("case when op > {} then 1 else 0 end", Operation::Deleted.number());
            (format!("order by {kind}{moment}"), format!("\nlimit {limit}"))
        }
    };
    let (number, order) = if layout.dialect.numbers_changes() {
        (String::new(), ordered)
    } else {
        let order = if ordered.is_empty() { "" } else { "order by seq" };
        let number = if ordered.is_empty() {
            layout.dialect.row_number()
        } else {
            format!("row_number() over ({ordered})")
        };
        (format!("{number} as seq, "), order.to_owned())
    };
    let order = if order.is_empty() { order } else { format!("\n{order}") };
    let query = format!(
        "with {with}\n\
         select {number}op, k as record_id, h as checksum{columns}\n\
         from classified{order}{limit}",
    );
    layout.dialect.create_changes_as(&layout.changes, &query)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing is tracked: every row is added.
    First,
    /// The whole model against the whole tracked state.
    Full,
    /// What is newer than the checkpoint against the tracked state, without deletes.
    Incremental,
}

impl Shape {
    fn of<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> Self {
        match (layout.tracked_records(), layout.timestamp) {
            (0, _) if layout.checkpoint().is_none() => Self::First,
            (_, Some(_)) => Self::Incremental,
            (_, None) => Self::Full,
        }
    }
}

/// The place of a column of the model.
fn place<D: Dialect + ?Sized>(layout: &Layout<'_, D>, name: &str) -> Option<usize> {
    layout.job.columns.iter().position(|column| column.name == name)
}

/// `n`: the rows of the model with identifier `k`, checksum `h` and columns `c0`, `c1`, ….
fn model<D: Dialect + ?Sized>(layout: &Layout<'_, D>, shape: Shape) -> String {
    let filter = match (shape, layout.timestamp, layout.checkpoint()) {
        (Shape::Incremental, Some(timestamp), Some(checkpoint)) => {
            let read = layout.read(timestamp);
            let from = layout.dialect.moment(timestamp, checkpoint);
            let from = layout.earlier(timestamp, &from).unwrap_or(from);
            format!("\n  where {read} >= {from} or {read} is null")
        }
        _ => String::new(),
    };
    format!(
        "n as (\n  select {key} as k, {checksum} as h{columns}\n  from (\n{query}\n  ) m{filter}\n)",
        key = layout.key(),
        checksum = layout.checksum(),
        columns = columns(layout),
        query = layout.query,
    )
}

/// The model's columns as `c0`, `c1`, …, read from the alias `m`.
pub(super) fn columns<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    more(layout.job.columns.iter().enumerate().map(|(place, column)| {
        format!("{} as c{place}", layout.dialect.stored(column, &layout.read(column)))
    }))
}

/// A list `, <alias>.c0, <alias>.c1, …`.
fn list<D: Dialect + ?Sized>(layout: &Layout<'_, D>, alias: &str) -> String {
    more((0..layout.stored.len()).map(|place| format!("{alias}.c{place}")))
}

fn first<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!(
        "counted as (\n  select n.*, count(*) over (partition by n.k) as rows_new from n\n),\n\
         classified as (\n  select c.k, c.h{columns}, case when c.k is null then {null} \
         when c.rows_new > 1 then {duplicate} else {added} end as op\n  from counted c\n)",
        columns = list(layout, "c"),
        null = aside::NULL,
        duplicate = aside::DUPLICATE_NEW,
        added = Operation::Added.number(),
    )
}

/// The column of the tracked records that a delete takes a column's value from.
pub(super) fn last_value<D: Dialect + ?Sized>(
    layout: &Layout<'_, D>,
    column: &Column,
) -> Option<String> {
    layout.job.keep_deleted_values.then(|| layout.tracked_column(column)).flatten()
}

/// `differing`: rows of the model and tracked records that have no counterpart of the same checksum.
fn differing<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let columns = layout.job.columns.iter().enumerate();
    let joined = more(columns.map(|(place, column)| match last_value(layout, column) {
        Some(old) => format!("coalesce(n.c{place}, r.{old}) as c{place}"),
        None => format!("n.c{place}"),
    }));
    format!(
        "differing as (\n  select coalesce(n.k, {key}) as k, n.h as h, r.checksum as oh{joined}\n  \
         from n full join {records} r on n.k = {key} and n.h = r.checksum\n  \
         where n.h is null or r.checksum is null\n)",
        key = layout.tracked_key("r.record_id"),
        records = layout.records,
    )
}

/// What the rows of `differing` are.
fn full<D: Dialect + ?Sized>(layout: &Layout<'_, D>, with_twins: bool) -> String {
    let key = layout.tracked_key("r.record_id");
    let records = &layout.records;
    // A row that looks added may have a twin that matched its tracked record.
    let (join, twin) = if with_twins {
        (
            format!("\n  left join (select {key} as k from {records} r) t on t.k = c.k"),
            " or t.k is not null",
        )
    } else {
        (String::new(), "")
    };
    format!(
        "counted as (\n  select d.*, count(d.h) over (partition by d.k) as rows_new, \
         count(d.oh) over (partition by d.k) as rows_old\n  from differing d\n),\n\
         classified as (\n  select c.k, coalesce(c.h, c.oh) as h{columns}, case when c.h is null then {deleted} \
         when c.k is null then {null} \
         when c.rows_new > 1 and (c.rows_old > 0{twin}) then {duplicate_tracked} \
         when c.rows_new > 1 then {duplicate_new} \
         when c.rows_old > 0 then {updated}{twin_case} else {added} end as op\n  \
         from counted c{join}\n  where c.h is not null or c.rows_new = 0\n)",
        columns = list(layout, "c"),
        deleted = Operation::Deleted.number(),
        null = aside::NULL,
        duplicate_tracked = aside::DUPLICATE_TRACKED,
        duplicate_new = aside::DUPLICATE_NEW,
        updated = Operation::Updated.number(),
        added = Operation::Added.number(),
        twin_case = if with_twins {
            format!(" when t.k is not null then {}", aside::DUPLICATE_TRACKED)
        } else {
            String::new()
        },
    )
}

fn incremental<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!(
        "counted as (\n  select n.*, r.checksum as oh, count(*) over (partition by n.k) as rows_new\n  \
         from n left join {records} r on n.k = {key}\n),\n\
         classified as (\n  select c.k, c.h{columns}, case when c.k is null then {null} \
         when c.rows_new > 1 and c.oh is not null then {duplicate_tracked} \
         when c.rows_new > 1 then {duplicate_new} \
         when c.oh is not null then {updated} else {added} end as op\n  \
         from counted c\n  where c.oh is null or c.oh <> c.h\n)",
        key = layout.tracked_key("r.record_id"),
        records = layout.records,
        columns = list(layout, "c"),
        null = aside::NULL,
        duplicate_tracked = aside::DUPLICATE_TRACKED,
        duplicate_new = aside::DUPLICATE_NEW,
        updated = Operation::Updated.number(),
        added = Operation::Added.number(),
    )
}

/// Whether [`Selection::Probe`] wrote every row as added, so that [`census`] must judge them.
pub(crate) fn is_first<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> bool {
    Shape::of(layout) == Shape::First
}

/// Whether a row that looks added may have a twin that matched its tracked record.
pub(crate) fn may_hide_twins<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> bool {
    Shape::of(layout) == Shape::Full
}

/// After the probe of a first diff: rows, rows without identifier, rows whose identifier came before,
/// and values that are not finite. Counting distinct identifiers is much cheaper than grouping by them.
pub(crate) fn census<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!(
        "select count(*), count(*) - count(record_id), \
         count(record_id) - count(distinct record_id), {odd}\nfrom {changes}",
        odd = odd(layout),
        changes = layout.changes,
    )
}

/// After the probe of a first diff: puts duplicates and rows without identifier aside.
pub(crate) fn mark_duplicates<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> [String; 2] {
    let changes = &layout.changes;
    let (duplicate, null) = (aside::DUPLICATE_NEW, aside::NULL);
    [
        layout.dialect.assign(changes, null, "record_id is null"),
        layout.dialect.mark(
            changes,
            duplicate,
            &Marked {
                condition: None,
                value: "record_id",
                from: &format!("from {changes} group by record_id having count(*) > 1"),
            },
        ),
    ]
}

/// After the probe of a full diff: puts rows aside whose identifier is tracked, though no tracked
/// record differs: an unchanged row of the model has the same identifier.
pub(crate) fn mark_twins<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let key = layout.tracked_key("r.record_id");
    let suspects = suspects();
    layout.dialect.mark(
        &layout.changes,
        aside::DUPLICATE_TRACKED,
        &Marked { condition: Some(&suspects), value: &key, from: &twins(layout, &key, &suspects) },
    )
}

/// How many rows [`mark_twins`] has to do with, for engines where marking none costs as much as marking
/// many.
pub(crate) fn count_twins<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let key = layout.tracked_key("r.record_id");
    format!("select count(*) {}", twins(layout, &key, &suspects()))
}

/// Rows that look new, though an unchanged row may have the same identifier.
fn suspects() -> String {
    format!("op in ({}, {})", Operation::Added.number(), aside::DUPLICATE_NEW)
}

/// The few suspects are looked for among the many tracked, so that no engine hashes the many.
fn twins<D: Dialect + ?Sized>(layout: &Layout<'_, D>, key: &str, suspects: &str) -> String {
    format!(
        "from {records} r where {key} in (select c.record_id from {changes} c where c.{suspects})",
        records = layout.records,
        changes = layout.changes,
    )
}

/// Puts records aside that are gone: one of them may be a row that has no identifier now.
pub(crate) fn withhold_deletes<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let deleted = format!("op = {}", Operation::Deleted.number());
    layout.dialect.assign(&layout.changes, aside::WITHHELD, &deleted)
}

/// Operation, rows, and values that are not finite, for each operation in the changes table.
pub(crate) fn tally<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!("select op, count(*), {} from {} group by op", odd(layout), layout.changes)
}

/// The number of values that are not finite.
fn odd<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    let odd: Vec<String> = not_finite(layout)
        .map(|condition| format!("case when {condition} then 1 else 0 end"))
        .collect();
    if odd.is_empty() { "0".to_owned() } else { format!("coalesce(sum({}), 0)", odd.join(" + ")) }
}

fn not_finite<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> impl Iterator<Item = String> {
    let columns = layout.job.columns.iter().zip(&layout.stored);
    columns.filter_map(|(column, name)| layout.dialect.not_finite(column, name))
}

/// Some identifiers that several rows have.
pub(crate) fn duplicates<D: Dialect + ?Sized>(layout: &Layout<'_, D>, limit: usize) -> String {
    format!(
        "select distinct {id} as id from {changes} where op in ({new}, {tracked}) \
         order by id limit {limit}",
        id = layout.dialect.text("record_id"),
        changes = layout.changes,
        new = aside::DUPLICATE_NEW,
        tracked = aside::DUPLICATE_TRACKED,
    )
}
