//! `ebb syncs`: the history.

use ebb_core::port::Store;
use ebb_engine::Mappings;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
    view::{self, seconds},
};

/// List past and running syncs, the newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the syncs of this mapping
    mapping: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Lists the syncs.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    if let Some(mapping) = &arguments.mapping {
        workspace.plan(mapping)?;
    }
    let (_, store) = workspace.engine()?;
    let syncs = store.syncs(arguments.mapping.as_deref(), arguments.limit).await?;
    if global.json {
        let syncs: Vec<_> = syncs.iter().map(|sync| view::sync(sync, &[])).collect();
        print_json(&json!({ "syncs": syncs }));
        return Ok(Finish::Done);
    }
    if syncs.is_empty() {
        print_text("no sync has run yet\n");
        return Ok(Finish::Done);
    }
    let head = [
        "sync",
        "mapping",
        "began",
        "took",
        "status",
        "extracted",
        "delivered",
        "failed",
        "discarded",
    ];
    let mut table = Table::new(head);
    for sync in &syncs {
        let counts = sync.counts;
        let ended = sync.finished_at.unwrap_or_else(Timestamp::now);
        table.row([
            sync.id.to_string(),
            sync.mapping.clone(),
            sync.started_at.strftime("%F %T").to_string(),
            seconds(ended.duration_since(sync.started_at).unsigned_abs()),
            view::status(sync),
            counts.extracted.total().to_string(),
            counts.delivered.total().to_string(),
            counts.failed.total().to_string(),
            counts.discarded.total().to_string(),
        ]);
    }
    print_text(&table.to_string());
    Ok(Finish::Done)
}
