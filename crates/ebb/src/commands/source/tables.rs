//! `ebb source tables`: what there is to read in a source.

use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// List the tables and views that a source's user may read, with their columns
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The source
    source: String,
}

/// Asks the source.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let told = global.workspace()?.warehouse(&arguments.source)?.tables().await?;
    if global.json {
        print_json(&json!({ "tables": told.tables, "cut": told.cut }));
        return Ok(Finish::Done);
    }
    let mut table = Table::new(["table", "column", "type"]);
    for found in &told.tables {
        for column in &found.columns {
            table.row([&*found.sql, &*column.sql, &*column.native]);
        }
    }
    let cut = if told.cut { "There are more tables than are listed.\n" } else { "" };
    print_text(&format!("{table}{cut}"));
    Ok(Finish::Done)
}
