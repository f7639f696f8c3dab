//! Runs the diff and counts what it found.

use ebb_core::{
    Failure, Operation, Tally,
    port::{Diff, DiffJob, Discarded},
};

use super::{Tracker, label};
use crate::{
    connection::{Connection, Session},
    dialect::{Dialect, Transactions},
    layout::{Layout, aside},
    statement::diff::{self, Selection},
};

/// So many identifiers of duplicates are told.
const SAMPLES: usize = 10;

pub(super) async fn diff<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    job: &DiffJob,
) -> Result<Diff, Failure> {
    let mut session = tracker.write().await?;
    let session = &mut *session;
    session.label(&label(job)).await?;
    let in_transaction = match tracker.dialect.transactions() {
        Transactions::Session | Transactions::Rows => true,
        Transactions::Gathered | Transactions::Alone => false,
    };
    let state = tracker.state(session, &job.mapping).await?;
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, state.as_ref())?;

    // Where it cannot be one transaction, a diff that stopped half-way is made anew all the same.
    if in_transaction {
        session.execute(tracker.dialect.begin()).await?;
    }
    let mut found = probe(session, &layout).await?;
    if found.rows() > job.limit {
        // Too many to keep: choose what is kept, knowing everything.
        write(session, &layout, Selection::Ordered(job.limit)).await?;
        found = tally(session, &layout).await?;
    }
    let known = state.as_ref().map_or(0, |state| state.unidentified);
    if found.null > known && found.changes.deleted > 0 && !job.trust_deletes {
        session.execute(&diff::withhold_deletes(&layout)).await?;
        found.withheld = std::mem::take(&mut found.changes.deleted);
    }
    let mut diff = found.into_diff();
    if diff.discarded.duplicates.total() > 0 {
        let ids = session.rows(&diff::duplicates(&layout, SAMPLES)).await?;
        diff.discarded.duplicate_ids =
            ids.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
    }
    if in_transaction {
        session.execute(tracker.dialect.commit()).await?;
    }

    diff.first = state.is_none();
    diff.tracked = layout.tracked_records();
    let rows = diff.changes.added + diff.changes.updated;
    let aside = diff.discarded.null + diff.discarded.duplicates.total();
    // Without one row of the model, every tracked record is gone.
    diff.empty = layout.checkpoint().is_none()
        && layout.timestamp.is_none_or(|_| diff.tracked == 0)
        && rows + aside == 0
        && diff.changes.deleted == diff.tracked;
    Ok(diff)
}

/// Rows in the changes table by `op`.
#[derive(Debug, Default)]
struct Found {
    changes: Tally,
    duplicates: Tally,
    null: u64,
    withheld: u64,
    not_finite: u64,
}

impl Found {
    fn rows(&self) -> u64 {
        self.changes.total() + self.duplicates.total() + self.null + self.withheld
    }

    fn into_diff(self) -> Diff {
        let Self { changes, duplicates, null, withheld, not_finite } = self;
        let discarded = Discarded { null, duplicates, duplicate_ids: Vec::new() };
        Diff { changes, discarded, withheld, not_finite, ..Diff::default() }
    }
}

async fn write<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    selection: Selection,
) -> Result<(), Failure> {
    session.execute(&format!("drop table if exists {}", layout.changes)).await?;
    for statement in diff::write(layout, selection) {
        session.execute(&statement).await?;
    }
    Ok(())
}

/// Writes all changes, one more than the limit if there are so many, and what is in the table then.
async fn probe<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
) -> Result<Found, Failure> {
    let limit = layout.job.limit;
    write(session, layout, Selection::Probe(limit.saturating_add(1))).await?;
    if diff::is_first(layout) {
        let census = numbers(session, &diff::census(layout)).await?;
        let [rows, null, again, not_finite] = census.first().copied().unwrap_or_default();
        let changes = Tally { added: rows, ..Tally::default() };
        let found = Found { changes, not_finite, ..Found::default() };
        if rows > limit || null + again == 0 {
            return Ok(found);
        }
        for statement in diff::mark_duplicates(layout) {
            session.execute(&statement).await?;
        }
    }
    let found = tally(session, layout).await?;
    let suspects = found.changes.added + found.duplicates.added;
    if found.rows() <= limit
        && suspects > 0
        && diff::may_hide_twins(layout)
        && marked_twins(session, layout).await? > 0
    {
        return tally(session, layout).await;
    }
    Ok(found)
}

/// Marks twins; how many there were.
async fn marked_twins<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
) -> Result<u64, Failure> {
    let mark = diff::mark_twins(layout);
    if layout.dialect.transactions() != Transactions::Alone {
        return session.execute(&mark).await;
    }
    // Marking makes the table anew.
    let twins = numbers(session, &diff::count_twins(layout)).await?;
    let [twins] = twins.first().copied().unwrap_or_default();
    if twins > 0 {
        session.execute(&mark).await?;
    }
    Ok(twins)
}

async fn tally<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    for [op, rows, not_finite] in numbers(session, &diff::tally(layout)).await? {
        let op = i64::try_from(op).unwrap_or_default();
        if let Some(operation) = Operation::of_number(op) {
            *found.changes.of(operation) += rows;
            if operation != Operation::Deleted {
                found.not_finite += not_finite;
            }
        } else {
            match op {
                aside::DUPLICATE_NEW => found.duplicates.added += rows,
                aside::DUPLICATE_TRACKED => found.duplicates.updated += rows,
                aside::WITHHELD => found.withheld += rows,
                _ => found.null += rows,
            }
        }
    }
    Ok(found)
}

/// Rows of whole numbers.
pub(super) async fn numbers<const N: usize>(
    session: &mut dyn Session,
    sql: &str,
) -> Result<Vec<[u64; N]>, Failure> {
    let rows = session.rows(sql).await?;
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(rows
        .into_iter()
        .map(|row| {
            let mut values = row.into_iter();
            std::array::from_fn(|_| values.next().map_or(0, number))
        })
        .collect())
}
