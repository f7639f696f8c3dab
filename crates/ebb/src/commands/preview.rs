//! `ebb preview`: the first records of a model.

use std::sync::Arc;

use ebb_core::{Column, RecordSet, Value};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// Show the first records of a model, with types
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model
    model: String,
    /// Ask the warehouse, even if it was asked within the last ten minutes
    #[arg(long)]
    refresh: bool,
}

/// How long a preview is good for.
const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Values are cut here in a terminal.
const WIDEST: usize = 40;

/// Shows the records: those that were read lately, or else reads them in a read-only transaction.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let model = workspace.model(&arguments.model)?;
    let limit = workspace.project.limits.preview;
    let key = workspace.preview_key(&arguments.model, limit)?;
    let store = workspace.store()?;
    let now = Timestamp::now();
    let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
    let kept = if arguments.refresh { None } else { store.preview(&key, oldest).await? };
    let (read_at, rows) = if let Some(kept) = kept {
        kept
    } else {
        let warehouse = workspace.warehouse(&model.source)?;
        let rows = warehouse.preview(&model.query(), limit).await?.rows;
        store.keep_preview(&key, now, &rows, oldest).await?;
        (now, rows)
    };
    let set = RecordSet::new(&rows, Arc::from(""), Arc::from(""))?;
    let age = now.duration_since(read_at).as_secs().max(0);
    if global.json {
        let rows: Vec<Value<'_>> = set.iter().map(ebb_core::Record::properties).collect();
        print_json(&json!({ "columns": set.columns(), "rows": rows, "age_seconds": age }));
        return Ok(Finish::Done);
    }
    let mut table = Table::new(set.columns().iter().map(|column| column.name.clone()));
    table.row(set.columns().iter().map(|column| format!("({})", type_of(column))));
    for record in set.iter() {
        table.row((0..set.columns().len()).map(|place| shown(&record.value(place))));
    }
    print_text(&table.to_string());
    if read_at < now {
        print_text(&format!("read {age} seconds ago; `--refresh` reads it again\n"));
    }
    Ok(Finish::Done)
}

/// The type as the warehouse names it; what a source without types gives is told by kind.
fn type_of(column: &Column) -> String {
    let native = column.native.to_lowercase();
    if native.is_empty() { column.kind.to_string() } else { native }
}

fn shown(value: &Value<'_>) -> String {
    let text = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.chars().count() <= WIDEST {
        return text;
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}
