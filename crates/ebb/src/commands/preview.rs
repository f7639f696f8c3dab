//! `ebb preview`: the first records of a model.

use std::sync::Arc;

use ebb_core::{Column, RecordSet, Value, port::ModelQuery};
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
    workspace::Workspace,
};

/// Show the first records of a model, with types
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model
    model: String,
}

/// Values are cut here in a terminal.
const WIDEST: usize = 40;

/// Reads the records in a read-only transaction and shows them.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = Workspace::open(&global.project)?;
    let model = workspace.model(&arguments.model)?;
    let query = ModelQuery {
        sql: model.query.clone(),
        id: model.id.clone(),
        timestamp: model.timestamp.clone(),
    };
    let warehouse = workspace.warehouse(&model.source)?;
    let preview = warehouse.preview(&query, workspace.project.limits.preview).await?;
    let set = RecordSet::new(&preview.rows, Arc::from(""), Arc::from(""))?;
    if global.json {
        let rows: Vec<Value<'_>> = set.iter().map(ebb_core::Record::properties).collect();
        print_json(&json!({ "columns": preview.columns, "rows": rows }));
        return Ok(Finish::Done);
    }
    let mut table = Table::new(preview.columns.iter().map(|column| column.name.clone()));
    table.row(preview.columns.iter().map(|column| format!("({})", type_of(column))));
    for record in set.iter() {
        table.row((0..preview.columns.len()).map(|place| shown(&record.value(place))));
    }
    print_text(&table.to_string());
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
