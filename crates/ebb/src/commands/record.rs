//! `ebb record`: what became of one record.

use ebb_core::port::Verdict;
use ebb_engine::{Journey, JourneyStep};
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// Look a record up in the past syncs of a mapping
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mapping
    mapping: String,
    /// The record's identifier
    record: String,
}

/// Shows each sync in which the record was a change, the newest first.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let Arguments { mapping, record } = arguments;
    let workspace = global.workspace()?;
    workspace.mapping(mapping)?;
    let (engine, _) = workspace.engine()?;
    let Journey { steps, looked_at, more } =
        engine.journey(mapping, record, &workspace.redactor()).await?;
    if global.json {
        let steps: Vec<_> = steps.iter().map(told).collect();
        print_json(&json!({ "steps": steps, "looked_at": looked_at, "more": more }));
        return Ok(Finish::Done);
    }
    if steps.is_empty() {
        print_text(&format!(
            "`{record}` was no change in the last {looked_at} syncs of `{mapping}`\n"
        ));
    } else {
        let mut table =
            Table::new(["sync", "began", "operation", "outcome", "why"].map(str::to_owned));
        for JourneyStep { sync, operation, verdict, failure, .. } in &steps {
            let why = failure.as_ref().map(|(failure, _)| failure.to_string());
            table.row([
                sync.id.to_string(),
                format!("{:.0}", sync.started_at),
                operation.map(ebb_core::Operation::as_str).unwrap_or_default().to_owned(),
                verdict.map(word).unwrap_or_default().to_owned(),
                why.unwrap_or_default(),
            ]);
        }
        print_text(&table.to_string());
    }
    if more {
        print_text(
            "older syncs, or ones whose records are no longer kept, were not looked through\n",
        );
    }
    Ok(Finish::Done)
}

fn told(step: &JourneyStep) -> serde_json::Value {
    let JourneyStep { sync, operation, values, verdict, failure } = step;
    json!({
        "sync": sync.id,
        "started_at": sync.started_at,
        "operation": operation,
        "values": values,
        "outcome": verdict.map(word),
        "failure": failure.as_ref().map(|(failure, sample)| json!({
            "code": failure.code,
            "message": failure.message(),
            "request": sample.request,
            "payload": sample.payload,
            "reply": sample.reply,
        })),
    })
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Failed => "failed",
        Verdict::Discarded => "discarded",
    }
}
