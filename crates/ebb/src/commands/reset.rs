//! `ebb reset`: forgets what is tracked.

use ebb_engine::Mappings;
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// Forget the tracked state of a mapping: its next sync sees every record as added
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mapping
    mapping: String,
}

/// Forgets it.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let plan = workspace.plan(&arguments.mapping)?;
    let warehouse = workspace.warehouse(&plan.model.source)?;
    let (engine, _) = workspace.engine()?;
    engine.reset(&arguments.mapping, &*warehouse).await?;
    if global.json {
        print_json(&json!({ "mapping": arguments.mapping, "reset": true }));
    } else {
        let mapping = &arguments.mapping;
        print_text(&format!("`{mapping}` is reset: its next sync sees every record as added\n"));
    }
    Ok(Finish::Done)
}
