//! The commit and the rebase where a statement is all that is atomic.
//!
//! What the tracked records become is written beside them, and nobody looks there yet. Then the
//! checkpoint's row is replaced, which also says where the tracked records are: that is the commit. Before
//! it nothing has changed, and whatever a kill left beside is written anew.

use ebb_core::{
    Failure,
    port::{Commit, DiffJob, Tracked, Warehouse},
};

use super::{checkpoint, next_state, unidentified, value};
use crate::{
    connection::{Connection, Session},
    dialect::Dialect,
    layout::Layout,
    state::{self, State},
    statement::{
        commit::{self, Applied},
        rebase,
    },
    tracker::{Tracker, diff::numbers},
};

pub(super) async fn commit<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    commit: &Commit,
    state: Option<State>,
) -> Result<(), Failure> {
    let job = &commit.job;
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, state.as_ref())?;
    let applied = Applied::of(&layout, commit);
    if applied.needs_seqs {
        session.load_seqs(&layout.seqs, &commit.seqs).await?;
    }
    let checkpoint = checkpoint(session, &layout, &applied).await?;
    let known = state.as_ref().map_or(0, |state| state.unidentified);
    let unidentified = unidentified(session, &layout, known).await?;
    let rows = numbers(session, &commit::count_applied(&applied)).await?;
    let [rows] = rows.first().copied().unwrap_or_default();

    let tracked = Tracked {
        recipe: tracker.recipe(job),
        sync: Some(job.sync),
        // counted by the statement that saves it
        records: 0,
        checkpoint,
    };
    let mut next = next_state(&layout, tracked, unidentified);
    next.records_in = state.as_ref().and_then(|state| state.records_in.clone());
    if let Some(statement) = commit::beside(&layout, &applied, rows) {
        session.execute(&statement).await?;
        next.records_in = Some(layout.rebuild_in().to_owned());
    }
    save(session, &layout, &next).await
}

pub(super) async fn rebase<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    job: &DiffJob,
    state: State,
) -> Result<u64, Failure> {
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, Some(&state))?;
    tracker.run(session, rebase::rebuild(&layout)).await?;
    let changed = value(session, &rebase::changed(&layout)).await?;
    let checkpoint = layout.checkpoint().map(str::to_owned);
    let tracked = Tracked { recipe: tracker.recipe(job), checkpoint, ..state.tracked.clone() };
    let mut next = next_state(&layout, tracked, state.unidentified);
    next.records_in = Some(layout.rebuild_in().to_owned());
    save(session, &layout, &next).await?;
    Ok(changed.and_then(|count| count.parse().ok()).unwrap_or_default())
}

async fn save<D: Dialect>(
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    next: &State,
) -> Result<(), Failure> {
    let dialect = layout.dialect;
    let checkpoints = dialect.table(layout.schema, &layout.tables.checkpoints);
    let records = next.records_in.as_deref().unwrap_or(&layout.tables.records);
    let count = format!("select count(*) from {}", dialect.table(layout.schema, records));
    let renew = state::renew(dialect, &checkpoints, layout.job, next, &count);
    session.execute(&renew).await.map(drop)
}
