//! `ebb preview`: some records of a model.

use ebb_core::{Column, Value, port::Wanted};
use jiff::Timestamp;
use serde_json::json;

use ebb_workspace::{Freshness, Preview};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// Show the first records of a model, or those with some text in them, with types
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model
    model: String,
    /// Only records with this text in the identifier or a column of text; the warehouse reads the whole model
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Ask the warehouse, even if it was asked within the last ten minutes
    #[arg(long)]
    refresh: bool,
}

/// Values are cut here in a terminal.
const WIDEST: usize = 40;

/// Shows the records: those that were read lately, or else reads them in a read-only transaction.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let model = workspace.model(&arguments.model)?;
    let store = workspace.store()?;
    let freshness = if arguments.refresh { Freshness::ReadNow } else { Freshness::Kept };
    let wanted = arguments
        .search
        .as_deref()
        .filter(|text| !text.trim().is_empty())
        .map_or(Wanted::First, Wanted::Containing);
    let query = model.query();
    let preview = workspace.preview(&store, &model.source, &query, wanted, freshness).await?;
    let Preview { records: set, read_at, fresh } = preview;
    let age = Timestamp::now().duration_since(read_at).as_secs().max(0);
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
    if !fresh {
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
