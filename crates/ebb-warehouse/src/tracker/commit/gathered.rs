//! The commit and the rebase where a transaction holds nothing but statements that write rows.
//!
//! What makes tables comes first, each statement in one step of its own and such that a kill after it
//! changes nothing of what the tracked state says. What reads comes next. What is left writes rows, in
//! the tracked records and in the checkpoint's row, and is one transaction.

use ebb_core::{
    Failure,
    port::{Commit, DiffJob, Tracked, Warehouse},
};

use super::{checkpoint, replace, unidentified, value};
use crate::{
    connection::{Connection, Session},
    dialect::Dialect,
    layout::Layout,
    state::State,
    statement::{
        commit::{self, Applied},
        rebase,
    },
    tracker::Tracker,
};

pub(super) async fn commit<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    commit: &Commit,
    state: Option<State>,
) -> Result<(), Failure> {
    let job = &commit.job;
    let state = in_shape(tracker, session, job, state).await?;
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, state.as_ref())?;
    let applied = Applied::of(&layout, commit);
    if applied.needs_seqs {
        session.load_seqs(&layout.seqs, &commit.seqs).await?;
    }
    let checkpoint = checkpoint(session, &layout, &applied).await?;
    let known = state.as_ref().map_or(0, |state| state.unidentified);
    let unidentified = unidentified(session, &layout, known).await?;
    let tracked = Tracked {
        recipe: tracker.recipe(job),
        sync: Some(job.sync),
        records: layout.tracked_records(),
        checkpoint,
    };
    let [create, delete, insert] = replace(&layout, tracked, unidentified);
    session.execute(&create).await?;
    let rows = [
        commit::delete(&layout, &applied),
        commit::insert(&layout, &applied),
        delete,
        insert,
        commit::keep_count(&layout),
    ];
    transact(tracker, session, rows).await
}

pub(super) async fn rebase<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    job: &DiffJob,
    state: State,
) -> Result<u64, Failure> {
    let Some(state) = in_shape(tracker, session, job, Some(state)).await? else { return Ok(0) };
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, Some(&state))?;
    tracker.run(session, rebase::rebuild(&layout)).await?;
    let changed = value(session, &rebase::changed(&layout)).await?;
    let checkpoint = layout.checkpoint().map(str::to_owned);
    let tracked = Tracked { recipe: tracker.recipe(job), checkpoint, ..state.tracked.clone() };
    let [_, delete, insert] = replace(&layout, tracked, state.unidentified);
    let [clear, fill] = commit::take_rows_over(&layout);
    transact(tracker, session, [clear, fill, delete, insert]).await?;
    session.execute(&tracker.dialect.drop_table(&layout.rebuild())).await?;
    Ok(changed.and_then(|count| count.parse().ok()).unwrap_or_default())
}

/// The state once the tracked records have the shape that a job needs.
async fn in_shape<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    job: &DiffJob,
    state: Option<State>,
) -> Result<Option<State>, Failure> {
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, state.as_ref())?;
    let Some(statement) = commit::in_shape(&layout) else { return Ok(state) };
    session.execute(&statement).await?;
    tracker.state(session, &job.mapping).await
}

async fn transact<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    statements: impl IntoIterator<Item = String> + Send,
) -> Result<(), Failure> {
    session.execute(tracker.dialect.begin()).await?;
    tracker.run(session, statements).await?;
    session.execute(tracker.dialect.commit()).await?;
    Ok(())
}
