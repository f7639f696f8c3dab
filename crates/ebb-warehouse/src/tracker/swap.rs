//! Commits where a statement about tables ends the transaction: tables are made before it begins, and
//! what replaces tracked records takes their place by one renaming, together with its checkpoint.

use ebb_core::Failure;

use super::Tracker;
use crate::{
    connection::{Connection, Session},
    dialect::Dialect,
    layout::Layout,
    state::{self, State},
    statement::{commit, swap},
};

/// Makes the tables that a commit fills, in the form that its job needs.
pub(super) async fn prepare<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
) -> Result<(), Failure> {
    let Some(state) = layout.state else {
        let dialect = &tracker.dialect;
        let checkpoints = dialect.table(&tracker.schema, &layout.tables.checkpoints);
        session.execute(&state::create(dialect, &checkpoints)).await?;
        return tracker.run(session, commit::empty(layout)).await;
    };
    let rebuilt = commit::rebuilt(layout);
    if rebuilt.is_empty() {
        return Ok(());
    }
    tracker.run(session, rebuilt).await?;
    let state = State {
        key_type: layout.key_type.clone(),
        kept: layout.kept().map(|(column, _)| column.clone()).collect(),
        ..state.clone()
    };
    replace(tracker, session, layout, &state).await
}

/// Puts what was rebuilt, with this state, in the place of what is tracked.
pub(super) async fn replace<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    state: &State,
) -> Result<(), Failure> {
    tracker.run(session, swap::clear(layout)).await?;
    let next = state::replace(&tracker.dialect, &swap::next(layout), layout.job, state);
    tracker.run(session, next).await?;
    session.execute(&swap::rename(layout)).await?;
    tracker.run(session, swap::clear(layout)).await
}
