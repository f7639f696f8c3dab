//! Runs the commit and the rebase, each in one transaction.

mod alone;
mod gathered;

use ebb_core::{
    Failure,
    port::{Commit, DiffJob, Tracked, Warehouse},
};

use super::{Tracker, diff::numbers, label, read, swap};
use crate::{
    connection::{Connection, Session},
    dialect::{Dialect, Transactions},
    layout::{Layout, changes_table},
    state::{self, State},
    statement::{
        commit::{self, Applied},
        rebase,
    },
};

pub(super) async fn commit<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    commit: &Commit,
) -> Result<(), Failure> {
    let job = &commit.job;
    let mut session = tracker.write().await?;
    let session = &mut *session;
    session.label(&label(job)).await?;
    if !tracker.has_tables(session, &[&changes_table(job)]).await? {
        return Err(read::missing(job));
    }
    let state = tracker.state(session, &job.mapping).await?;
    match tracker.dialect.transactions() {
        Transactions::Session | Transactions::Rows => {}
        Transactions::Gathered => {
            return gathered::commit(tracker, session, commit, state).await;
        }
        Transactions::Alone => return alone::commit(tracker, session, commit, state).await,
    }
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, state.as_ref())?;
    let applied = Applied::of(&layout, commit);

    let prepared = tracker.dialect.transactions() == Transactions::Rows;
    if prepared {
        swap::prepare(tracker, session, &layout).await?;
    }
    session.execute(tracker.dialect.begin()).await?;
    if applied.needs_seqs {
        session.load_seqs(&layout.seqs, &commit.seqs).await?;
    }
    let records = if layout.tracked_records() == 0 {
        let made = if prepared {
            commit::fill(&layout, &applied).to_vec()
        } else {
            commit::create(&layout, &applied)
        };
        tracker.run(session, made).await?;
        value(session, &commit::count(&layout))
            .await?
            .and_then(|count| count.parse().ok())
            .unwrap_or_default()
    } else {
        if !prepared {
            tracker.run(session, commit::reshape(&layout)).await?;
        }
        let gone = session.execute(&commit::delete(&layout, &applied)).await?;
        let come = session.execute(&commit::insert(&layout, &applied)).await?;
        layout.tracked_records().saturating_sub(gone) + come
    };
    let checkpoint = checkpoint(session, &layout, &applied).await?;
    let tracked =
        Tracked { recipe: tracker.recipe(job), sync: Some(job.sync), records, checkpoint };
    let known = state.as_ref().map_or(0, |state| state.unidentified);
    let unidentified = unidentified(session, &layout, known).await?;
    save(tracker, session, &layout, tracked, unidentified).await?;
    session.execute(tracker.dialect.commit()).await?;
    Ok(())
}

/// What the next diff compares its rows without identifier with: today's number, unless records are
/// withheld because of them.
async fn unidentified<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    known: u64,
) -> Result<u64, Failure> {
    let found = numbers(session, &commit::unidentified(layout)).await?;
    let [null, withheld] = found.first().copied().unwrap_or_default();
    Ok(if withheld > 0 { known } else { null })
}

pub(super) async fn rebase<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    job: &DiffJob,
) -> Result<u64, Failure> {
    let mut session = tracker.write().await?;
    let session = &mut *session;
    session.label(&label(job)).await?;
    let Some(state) = tracker.state(session, &job.mapping).await? else { return Ok(0) };
    match tracker.dialect.transactions() {
        Transactions::Session | Transactions::Rows => {}
        Transactions::Gathered => return gathered::rebase(tracker, session, job, state).await,
        Transactions::Alone => return alone::rebase(tracker, session, job, state).await,
    }
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, Some(&state))?;

    session.execute(tracker.dialect.begin()).await?;
    tracker.run(session, rebase::rebuild(&layout)).await?;
    let changed = value(session, &rebase::changed(&layout)).await?;
    let changed = changed.and_then(|count| count.parse().ok()).unwrap_or_default();
    let checkpoint = layout.checkpoint().map(str::to_owned);
    let tracked = Tracked { recipe: tracker.recipe(job), checkpoint, ..state.tracked.clone() };
    let unidentified = state.unidentified;
    if tracker.dialect.transactions() == Transactions::Rows {
        let state = next_state(&layout, tracked, unidentified);
        swap::replace(tracker, session, &layout, &state).await?;
        return Ok(changed);
    }
    tracker.run(session, commit::take_over(&layout)).await?;
    save(tracker, session, &layout, tracked, unidentified).await?;
    session.execute(tracker.dialect.commit()).await?;
    Ok(changed)
}

/// What is known of the tracked records after a job.
fn next_state<D: Dialect>(layout: &Layout<'_, D>, tracked: Tracked, unidentified: u64) -> State {
    State {
        tracked,
        checkpoint_of: layout.checkpoint_of(),
        key_type: layout.key_type.clone(),
        kept: layout.kept().map(|(column, _)| column.clone()).collect(),
        unidentified,
        records_in: None,
    }
}

async fn save<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    tracked: Tracked,
    unidentified: u64,
) -> Result<(), Failure> {
    let [create, delete, insert] = replace(layout, tracked, unidentified);
    // Where making a table would end the transaction, it was made before.
    let create = Some(create).filter(|_| tracker.dialect.transactions() != Transactions::Rows);
    tracker.run(session, create.into_iter().chain([delete, insert])).await
}

/// The statements that make the checkpoint's row what is tracked now.
fn replace<D: Dialect>(layout: &Layout<'_, D>, tracked: Tracked, unidentified: u64) -> [String; 3] {
    let state = next_state(layout, tracked, unidentified);
    let table = layout.dialect.table(layout.schema, &layout.tables.checkpoints);
    state::replace(layout.dialect, &table, layout.job, &state)
}

/// Where the next sync of an incremental model starts.
async fn checkpoint<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    applied: &Applied,
) -> Result<Option<String>, Failure> {
    let checkpoint = match commit::checkpoint(layout, applied) {
        Some(query) => value(session, &query).await?,
        None => None,
    };
    Ok(checkpoint.or_else(|| layout.checkpoint().map(str::to_owned)))
}

/// The only value of a query.
async fn value(session: &mut dyn Session, sql: &str) -> Result<Option<String>, Failure> {
    Ok(session.rows(sql).await?.into_iter().flatten().next().flatten())
}
