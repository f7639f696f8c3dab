//! What requests a destination would make, for JSON lines of the oracle's format. Sends nothing.

mod answer;
mod line;
mod script;

use std::sync::Arc;

use ebb_core::{
    Failure, Operation, Remedy,
    port::{Batch, Clock, Exchange, Item, ItemBuffer, Step},
};
use ebb_mapping::Input;
use jiff::Timestamp;

use crate::{
    catalog::Catalog,
    connector::{Connector, action_of, value, with_defaults},
    http::Network,
    planner::{PlannedAction, Prepared},
    template::Run,
};
use answer::Answer;
use line::Line;
use script::Script;

/// A clock that stands still.
#[derive(Debug)]
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Answers one line: the requests that the destination would make, and what would become of each
/// payload. A line that cannot be read is answered with `ok: false` and an `error`.
pub fn render_line(line: &str, catalog: &Catalog) -> String {
    let answer = match serde_json::from_str::<Line>(line) {
        Ok(line) => render(&line, catalog),
        Err(error) => Answer::unreadable(&error),
    };
    serde_json::to_string(&answer).expect("an answer is always JSON")
}

fn render(line: &Line, catalog: &Catalog) -> Answer {
    let mut answer = Answer::of(line);
    if let Err(failure) = fill(line, catalog, &mut answer) {
        answer.fail(&failure);
    }
    answer
}

fn fill(line: &Line, catalog: &Catalog, answer: &mut Answer) -> Result<(), Failure> {
    let definition = catalog.find(&line.destination)?;
    answer.destination.clone_from(&line.destination);
    let now = line.now.unwrap_or(Timestamp::UNIX_EPOCH);
    let connector = Connector::new(
        Arc::clone(&definition),
        &line.settings.clone().into(),
        &Network::default(),
        Arc::new(Still(now)),
    )?;
    let action = action_of(&definition.manifest, &line.action)?;
    let directives = match &line.mapping {
        Some(mapping) if !line.use_defaults => mapping.clone(),
        mapping => with_defaults(action, &mapping.clone().unwrap_or_default()),
    };
    let run = Run::fixed(now, line.seed());
    let mut script = Script::new(&line.responses);
    let planned = connector.plan(&line.action, &directives, None, line.batch);
    if line.batch {
        let results = batch(&planned?, line, &run, &mut script, answer)?;
        answer.multistatus(results);
        return Ok(());
    }
    for (place, payload) in line.payloads().enumerate() {
        let outcome = match &planned {
            Ok(planned) => single(planned, payload, place, &run, &mut script, answer),
            Err(failure) => Err(failure.clone()),
        };
        answer.result(outcome);
    }
    Ok(())
}

fn item(
    planned: &PlannedAction,
    payload: &serde_json::Value,
    seq: usize,
    run: &Run<'_>,
) -> Result<Item, Failure> {
    let event = value(payload);
    let payload = planned.payload(Input::Event(&event))?;
    let whole = planned.payloads.whole(&payload);
    let Prepared { group, bytes } = planned.plan.prepare(whole, run, &mut ItemBuffer::default())?;
    let seq = u64::try_from(seq).unwrap_or(u64::MAX);
    Ok(Item { seq, operation: Operation::Added, group, bytes })
}

fn single(
    planned: &PlannedAction,
    payload: &serde_json::Value,
    place: usize,
    run: &Run<'_>,
    script: &mut Script<'_>,
    answer: &mut Answer,
) -> Result<(), Failure> {
    let item = item(planned, payload, place, run)?;
    let batch = Batch { items: vec![item] };
    let outcomes = drive(planned, &batch, Some(place), script, answer)?;
    outcomes.into_iter().collect()
}

fn batch(
    planned: &PlannedAction,
    line: &Line,
    run: &Run<'_>,
    script: &mut Script<'_>,
    answer: &mut Answer,
) -> Result<Vec<Result<(), Failure>>, Failure> {
    let mut results: Vec<Result<(), Failure>> = Vec::new();
    let mut items = Vec::new();
    for (place, payload) in line.payloads().enumerate() {
        match item(planned, payload, place, run) {
            Ok(item) => {
                items.push(item);
                results.push(Ok(()));
            }
            Err(failure) if failure.remedy() == Remedy::RejectRow => results.push(Err(failure)),
            Err(failure) => return Err(failure),
        }
    }
    if items.is_empty() {
        return Ok(results);
    }
    let batch = Batch { items };
    let mut outcomes = drive(planned, &batch, None, script, answer)?.into_iter();
    for result in results.iter_mut().filter(|result| result.is_ok()) {
        if let Some(outcome) = outcomes.next() {
            *result = outcome;
        }
    }
    Ok(results)
}

/// Answers the batch's requests from the script until its outcomes are known.
fn drive(
    planned: &PlannedAction,
    batch: &Batch,
    place: Option<usize>,
    script: &mut Script<'_>,
    answer: &mut Answer,
) -> Result<Vec<Result<(), Failure>>, Failure> {
    let mut exchanges = Vec::new();
    loop {
        match planned.plan.next(batch, &exchanges)? {
            Step::Done(outcomes) => return Ok(outcomes),
            Step::Refused(failure) => return Err(failure),
            Step::Send(requests) => {
                for request in requests {
                    let reply = script.answer(&request);
                    answer.request(&request, &reply, place);
                    exchanges.push(Exchange { request, reply: reply.reply? });
                }
            }
        }
    }
}
