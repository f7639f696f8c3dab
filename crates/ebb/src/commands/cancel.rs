//! `ebb cancel`: ends a running sync early.

use ebb_core::port::Store;
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// End a running sync early: batches in flight finish, and what was delivered is committed
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sync, or the beginning or end of its name
    sync: String,
}

/// Asks the sync to end. The process that runs it sees that within a second.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let (_, store) = global.workspace()?.engine()?;
    let sync = store.find_sync(&arguments.sync).await?;
    let running = !sync.status.is_final();
    if running {
        store.request_cancel(sync.id).await?;
    }
    if global.json {
        print_json(&json!({ "sync": sync.id, "status": sync.status, "canceling": running }));
    } else if running {
        print_text(&format!("sync `{}` ends after its batches in flight\n", sync.id));
    } else {
        print_text(&format!("sync `{}` has ended already: {}\n", sync.id, view::status(&sync)));
    }
    Ok(if running { Finish::Done } else { Finish::DoneWithFailures })
}
