//! `ebb show`: one sync and why records failed.

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Show one sync: counts, durations, failures with samples and advice
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sync, or the beginning or end of its name
    sync: String,
}

/// Shows the sync.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let (_, store) = global.workspace()?.engine()?;
    let sync = store.find_sync(&arguments.sync).await?;
    let groups = view::groups(&sync, &*store).await?;
    if global.json {
        print_json(&view::sync(&sync, &groups));
    } else {
        print_text(&view::sync_text(&sync, &groups));
    }
    Ok(Finish::Done)
}
