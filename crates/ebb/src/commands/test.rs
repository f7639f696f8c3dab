//! `ebb test`: one record, sent for real.

use ebb_core::Remedy;
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Send one record for real, and show request and answer; nothing is tracked
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mapping
    mapping: String,
    /// The record's identifier
    #[arg(long, value_name = "ID")]
    record: String,
}

/// Sends the record.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let job = workspace.job_of(&arguments.mapping)?;
    let redactor = job.delivery.redactor().clone();
    let (engine, _) = workspace.engine()?;
    let trial = engine.trial(job, &arguments.record).await?;
    let outcome =
        trial.outcome.map_err(|failure| failure.map_message(|text| redactor.redact(&text)));
    let exchanges: Vec<_> = trial
        .exchanges
        .iter()
        .map(|exchange| {
            let body = redactor.redact(&String::from_utf8_lossy(&exchange.reply.body));
            (exchange.request.shown(&redactor), exchange.reply.status, body)
        })
        .collect();
    if global.json {
        let exchanges: Vec<_> = exchanges
            .iter()
            .map(|(request, status, body)| {
                json!({ "request": request, "reply": { "status": status, "body": body } })
            })
            .collect();
        print_json(&json!({
            "delivered": outcome.is_ok(),
            "exchanges": exchanges,
            "failure": outcome.as_ref().err().map(view::failure),
        }));
    } else {
        for (request, status, body) in &exchanges {
            print_text(&format!("{}\nanswer {status}\n{body}\n\n", view::request(request)));
        }
        print_text(&match &outcome {
            Ok(()) => "delivered\n".to_owned(),
            Err(failure) if failure.remedy() == Remedy::RejectRow => {
                format!("refused: {failure}\n help: {}\n", failure.advice())
            }
            Err(failure) => format!("failed: {failure}\n help: {}\n", failure.advice()),
        });
    }
    Ok(if outcome.is_ok() { Finish::Done } else { Finish::DoneWithFailures })
}
