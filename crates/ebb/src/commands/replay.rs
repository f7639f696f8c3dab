//! `ebb replay`: a past sync once more.

use ebb_engine::Watch;

use crate::{
    cli::Global,
    commands::sync::{finish_of, print},
    report::{Finish, Stop},
    terminal,
};

/// Deliver a past sync's changes again
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sync, or the beginning or end of its name
    sync: String,
}

/// Delivers the changes again.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let (engine, store) = workspace.engine()?;
    let past = store.find_sync(&arguments.sync).await?;
    let watch = Watch::default();
    let run = Box::pin(engine.replay(&workspace, past.id, &watch));
    let sync = terminal::watched(run, &past.mapping, &watch, global.json).await?;
    let syncs = [sync];
    print(&syncs, &store, global.json).await?;
    Ok(finish_of(&syncs))
}
