//! `ebb cancel`: ends a running sync early.

use ebb_core::port::{Cancellation, Store};
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Who cancels by a command: it signs in nobody.
const COMMAND_LINE: &str = "the command line";

/// End a running sync early: batches in flight finish, and what was delivered is committed
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sync, or the beginning or end of its name
    sync: String,
    /// Why, for whoever looks at the sync later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

/// Asks the sync to end. The process that runs it sees that within a second.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let (_, store) = global.workspace()?.engine()?;
    let sync = store.find_sync(&arguments.sync).await?;
    let by = Cancellation::new(COMMAND_LINE, &arguments.reason)?;
    let running = !sync.status.is_final();
    if running {
        store.request_cancel(sync.id, &by).await?;
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
