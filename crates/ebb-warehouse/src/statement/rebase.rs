//! The rebase: tracked records take today's checksums over, and nothing is sent.

use super::{commit, diff, more};
use crate::{dialect::Dialect, layout::Layout};

/// Evaluates the model and writes what the tracked records are to become beside them. Records that are
/// gone, and identifiers that several rows have, stay as they are.
pub(crate) fn rebuild<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> [String; 2] {
    let kept = layout.kept().enumerate();
    let columns = more(kept.map(|(place, (column, name))| match layout.tracked_column(column) {
        Some(old) => format!("case when n.h is null then r.{old} else n.c{place} end as {name}"),
        None => format!("n.c{place} as {name}"),
    }));
    let tracked = layout.tracked_key("r.record_id");
    let query = format!(
        "with {with}n as (\n  select {key} as k, {checksum} as h, \
         count(*) over (partition by {key}) as twins{model_columns}\n  from (\n{query}\n  ) m\n)\n\
         select {tracked} as record_id, coalesce(n.h, r.checksum) as checksum{columns}\n\
         from {records} r left join n on n.k = {tracked} and n.twins = 1",
        key = layout.key(),
        checksum = layout.checksum(),
        with = layout.model.with,
        model_columns = diff::columns(layout),
        query = layout.model.query,
        records = layout.records,
    );
    commit::rebuild(layout, &query)
}

/// How many checksums [`rebuild`] changed.
pub(crate) fn changed<D: Dialect + ?Sized>(layout: &Layout<'_, D>) -> String {
    format!(
        "select count(*) from {rebuild} b join {records} r on b.record_id = {tracked} \
         where b.checksum <> r.checksum",
        rebuild = layout.rebuild(),
        records = layout.records,
        tracked = layout.tracked_key("r.record_id"),
    )
}
