//! One sync: how it went, what became of its records, and why some failed.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use ebb_core::{
    Failure, Operation,
    port::{Cancellation, Clock, FailureGroup, Sample, Status, SyncKind, SyncRecord, Verdict},
};
use ebb_engine::{Cause, Plan, Work};
use ebb_store::Role;
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Form, Frame,
    build::Asked,
    clock, page,
    tool::{Tool, tool},
    words::{Pill, count, length},
};
use crate::{
    access::{Actor, digest_of},
    app::App,
    refusal::Refusal,
};

/// What a sync was, if it was no ordinary one.
pub(super) const fn kind(kind: SyncKind) -> &'static str {
    match kind {
        SyncKind::Sync => "",
        SyncKind::Backfill => "backfill",
        SyncKind::Replay { .. } => "replay",
        SyncKind::Rebase => "rebase",
    }
}

/// A phase as a bar: where it begins and how long it is, in percent of the whole.
struct Bar {
    name: &'static str,
    done: bool,
    running: bool,
    start: String,
    width: String,
    took: String,
}

/// Outcomes of one operation.
struct Row {
    operation: &'static str,
    extracted: String,
    delivered: String,
    failed: String,
    discarded: String,
}

/// Failures of one reason.
struct Group {
    /// What it is known by in the page, however many records others have.
    id: String,
    pill: Pill,
    what: String,
    code: &'static str,
    reason: Option<&'static str>,
    count: String,
    advice: String,
    again: bool,
    records: Vec<String>,
    more: u64,
    sample: Option<Sample>,
}

/// A share of the outcomes, in percent.
struct Share {
    class: &'static str,
    start: String,
    width: String,
}

#[derive(Template)]
#[template(path = "sync.html")]
struct SyncPage {
    frame: Frame,
    id: String,
    short: String,
    mapping: String,
    mapping_exists: bool,
    kind: &'static str,
    pill: Pill,
    model: String,
    tool: Option<Tool>,
    began: String,
    running: bool,
    bars: Vec<Bar>,
    took: String,
    speed: Option<String>,
    status: &'static str,
    shares: Vec<Share>,
    outcomes: String,
    delivered: String,
    failed: String,
    discarded: String,
    rows: Vec<Row>,
    progress: Option<(u64, u64)>,
    tracked: String,
    failure: Option<Failure>,
    cancellation: Option<Cancellation>,
    longest_reason: usize,
    held: bool,
    warnings: Vec<(String, u64)>,
    groups: Vec<Group>,
    not_delivered: String,
    can_download: bool,
    can_replay: bool,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let sync = app.sync(&id).await?;
    if asked == Asked::Part && sync.status.is_final() {
        // While it runs only what moves is taken from here; what may be done is another matter now.
        let anew = (HeaderName::from_static("hx-refresh"), HeaderValue::from_static("true"));
        return Ok((StatusCode::NO_CONTENT, [anew]).into_response());
    }
    let groups = app.failures(&sync).await?;
    let now = SystemClock.now();
    let configuration = app.configuration();
    let running = !sync.status.is_final();
    let plan = Plan::of(&sync).ok();
    let counts = sync.counts;
    let until = sync.finished_at.unwrap_or(now);
    let (done, of) = seen(&app, &sync);
    let shares = shares(&sync);
    let short = id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
    page(&SyncPage {
        frame: Frame::new(&app, &actor, "syncs"),
        short,
        mapping_exists: configuration.workspace.mapping(&sync.mapping).is_ok(),
        mapping: sync.mapping.clone(),
        kind: kind(sync.kind),
        pill: Pill::of_sync(&sync),
        model: plan.as_ref().map(|plan| plan.mapping.model.clone()).unwrap_or_default(),
        tool: plan.as_ref().map(|plan| tool(&configuration.workspace, &plan.mapping)),
        began: began(now, &sync, plan.as_ref()),
        running,
        bars: bars(&sync, now),
        took: length(until.duration_since(sync.started_at).unsigned_abs()),
        speed: speed(&sync),
        status: sync.status.as_str(),
        shares,
        outcomes: format!(
            "{} {}",
            count(counts.extracted.total()),
            if counts.extracted.total() == 1 { "change" } else { "changes" }
        ),
        delivered: count(counts.delivered.total()),
        failed: count(counts.failed.total()),
        discarded: count(counts.discarded.total()),
        rows: rows(&sync),
        progress: running.then_some((done, of.max(1))),
        tracked: count(counts.not_subscribed.total()),
        held: sync.status == Status::Held,
        failure: sync.failure.clone(),
        cancellation: sync.cancellation.clone(),
        longest_reason: Cancellation::MOST,
        warnings: sync.warnings.clone(),
        not_delivered: count(groups.iter().map(|group| group.count).sum()),
        // Also what was not sent because the sync ended, for which there is no group.
        can_download: !groups.is_empty() || counts.failed.total() > 0,
        groups: groups.into_iter().map(Group::new).collect(),
        can_replay: !running && counts.extracted.total() > 0 && sync.kind != SyncKind::Rebase,
        id: sync.id.to_string(),
    })
}

/// The form that cancels a sync.
#[derive(Deserialize)]
pub(super) struct Cancel {
    #[serde(default)]
    reason: String,
}

/// Asks a running sync to end.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    Form(Cancel { reason }): Form<Cancel>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let sync = app.sync(&id).await?;
    app.cancel(&actor, &sync, &reason).await?;
    Ok(Redirect::to(&format!("/syncs/{}", sync.id)).into_response())
}

/// Delivers the changes of a past sync again.
pub(super) async fn replay(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let sync = app.sync(&id).await?;
    app.request(&actor, &sync.mapping, Work::Replay { of: sync.id }).await?;
    Ok(Redirect::to(&format!("/mappings/{}", sync.mapping)).into_response())
}

/// Why and when it began.
fn began(now: Timestamp, sync: &SyncRecord, plan: Option<&Plan>) -> String {
    let at = clock::alone(now, sync.started_at);
    match plan.map(|plan| &plan.cause) {
        Some(Cause::Schedule { .. }) => {
            match plan.and_then(|plan| plan.cause.late(sync.started_at)) {
                Some(late) => format!("by schedule, {at}, {} late", length(late)),
                None => format!("by schedule, {at}"),
            }
        }
        Some(Cause::After { mapping }) => format!("after {mapping}, {at}"),
        Some(Cause::DbtCloud { job, .. }) => format!("after dbt Cloud job {job}, {at}"),
        Some(Cause::Request) | None => format!("by hand, {at}"),
    }
}

/// How many changes have an outcome, and how many there are.
fn seen(app: &App, sync: &SyncRecord) -> (u64, u64) {
    if let Some(progress) = app.scheduler.progress(&sync.mapping) {
        let seen = progress.snapshot();
        return (seen.delivered + seen.failed + seen.discarded, seen.extracted);
    }
    let counts = sync.counts;
    let done = counts.delivered.total() + counts.failed.total() + counts.discarded.total();
    (done, counts.extracted.total())
}

/// Staging and loading overlap: both begin when the diff is done.
fn bars(sync: &SyncRecord, now: Timestamp) -> Vec<Bar> {
    let until = sync.finished_at.unwrap_or(now);
    let whole = until.duration_since(sync.started_at).unsigned_abs().as_millis().max(1);
    let took =
        |name: &str| sync.phases.iter().find(|phase| phase.name == name).map(|phase| phase.millis);
    let diff = u128::from(took("diff").unwrap_or_default());
    let names = [("diff", "Extract"), ("stage", "Stage"), ("load", "Load"), ("commit", "Commit")];
    let current = match sync.status {
        Status::Extracting => "diff",
        Status::Loading => "load",
        Status::Committing => "commit",
        Status::Succeeded | Status::Partial | Status::Failed | Status::Canceled | Status::Held => {
            ""
        }
    };
    names
        .into_iter()
        .map(|(key, name)| {
            let millis = took(key);
            let length_of = u128::from(millis.unwrap_or_default());
            let start = match key {
                "diff" => 0,
                "commit" => whole.saturating_sub(length_of),
                _ => diff,
            };
            let start = start.min(whole);
            let width = length_of.min(whole - start);
            Bar {
                name,
                done: millis.is_some(),
                running: key == current,
                start: percent(start, whole),
                width: percent(width, whole),
                took: millis
                    .map(|millis| length(Duration::from_millis(millis)))
                    .unwrap_or_default(),
            }
        })
        .collect()
}

fn percent(part: u128, whole: u128) -> String {
    format!("{}.{}%", part * 100 / whole, part * 1000 / whole % 10)
}

fn speed(sync: &SyncRecord) -> Option<String> {
    let millis = sync.phases.iter().find(|phase| phase.name == "load")?.millis;
    let counts = sync.counts;
    let done = counts.delivered.total() + counts.failed.total() + counts.discarded.total();
    (millis > 0 && done > 0).then(|| count(done * 1000 / millis))
}

/// Each share is seen, however small: at least one percent.
fn shares(sync: &SyncRecord) -> Vec<Share> {
    let counts = sync.counts;
    let parts = [
        ("f-ok", counts.delivered.total()),
        ("f-warn", counts.failed.total()),
        ("f-idle", counts.discarded.total()),
    ];
    let whole: u64 = parts.iter().map(|(_, number)| number).sum();
    let mut start = 0;
    let mut shares = Vec::new();
    for (class, number) in parts.into_iter().filter(|(_, number)| *number > 0) {
        let width = (number * 1000 / whole).max(10).min(1000 - start);
        shares.push(Share {
            class,
            start: percent(start.into(), 1000),
            width: percent(width.into(), 1000),
        });
        start += width;
    }
    shares
}

fn rows(sync: &SyncRecord) -> Vec<Row> {
    let counts = sync.counts;
    let row = |operation: Operation| Row {
        operation: match operation {
            Operation::Added => "Added",
            Operation::Updated => "Updated",
            Operation::Deleted => "Deleted",
        },
        extracted: count(counts.extracted.get(operation)),
        delivered: count(counts.delivered.get(operation)),
        failed: count(counts.failed.get(operation)),
        discarded: count(counts.discarded.get(operation)),
    };
    let all = Row {
        operation: "All",
        extracted: count(counts.extracted.total()),
        delivered: count(counts.delivered.total()),
        failed: count(counts.failed.total()),
        discarded: count(counts.discarded.total()),
    };
    Operation::ALL.into_iter().map(row).chain([all]).collect()
}

impl Group {
    fn new(group: FailureGroup) -> Self {
        let FailureGroup { failure, verdict, count: number, samples } = group;
        let again = verdict == Verdict::Failed;
        let id = digest_of(&format!("{verdict:?} {} {}", failure.code, failure.message()));
        Self {
            id,
            pill: Pill::of_record(Some(verdict)),
            what: failure.message().to_owned(),
            code: failure.code.as_str(),
            reason: failure.code.reason(),
            count: count(number),
            advice: failure.advice().to_owned(),
            again,
            more: number.saturating_sub(samples.len() as u64),
            records: samples.iter().map(|sample| sample.record_id.clone()).collect(),
            sample: samples.into_iter().find(|sample| !sample.payload.is_empty()),
        }
    }
}
