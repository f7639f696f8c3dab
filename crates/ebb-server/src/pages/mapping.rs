//! A mapping's own page: what it does, when it runs, how it went.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use ebb_core::{
    Code, Failure, Operation,
    config::Trouble,
    port::{Clock, Status, Store, SyncKind, SyncRecord},
};
use ebb_engine::{DryRun, Outlook, Work, sends_again};
use ebb_store::Role;
use ebb_workspace::{SystemClock, Workspace};
use serde::Deserialize;

use super::{
    Form, Frame,
    alerts::AlertLine,
    chart::Chart,
    clock, page,
    syncs::Line,
    tool::{Tool, tool},
    words::{Pill, ago, count, next},
};
use crate::{
    access::Actor,
    app::{App, Section},
    refusal::Refusal,
};

/// Syncs in the history and in the chart.
const HISTORY: usize = 30;
/// Records of which a plan shows the requests.
const SHOWN: usize = 3;

#[derive(Template)]
#[template(path = "mapping.html")]
struct MappingPage {
    frame: Frame,
    name: String,
    from_files: bool,
    /// Its version, if it can be changed here.
    version: Option<i64>,
    enabled: bool,
    destination_off: bool,
    pill: Pill,
    model: String,
    source: String,
    destination: String,
    tool: Tool,
    records: String,
    schedule: String,
    /// Whether its model says when it syncs.
    inherits_schedule: bool,
    next: (String, String),
    last: Option<(String, String)>,
    held: Option<Failure>,
    /// Whether what is held would send all again.
    held_backfill: bool,
    /// Why nothing can be sent again, if nothing can.
    no_backfill: Option<Failure>,
    /// When it goes on, if the limit of usage is reached.
    paused: Option<String>,
    alerts: Vec<AlertLine>,
    busy: bool,
    delivered: String,
    success: Option<String>,
    chart: Chart,
    lines: Vec<Line>,
    /// The mappings that sync after it.
    followers: Vec<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    configuration.find(Section::Mappings, &name)?;
    let workspace = &configuration.workspace;
    let mapping = workspace.mapping(&name)?;
    let now = SystemClock.now();
    let history = app.store.syncs(Some(&name), HISTORY).await?;
    let outlook = app.scheduler.with(|table| table.outlook(&name));
    let latest = history.first();
    // A sync that starts has no record for a moment.
    let running = latest.is_some_and(|sync| !sync.status.is_final())
        || matches!(outlook, Some(Outlook::Running));
    let queued = matches!(outlook, Some(Outlook::Queued { .. }));
    let enabled = workspace.enabled(&name);
    page(&MappingPage {
        frame: Frame::new(&app, &actor, "mappings"),
        from_files: configuration.in_files(Section::Mappings, &name),
        version: configuration.made(Section::Mappings, &name).map(|entry| entry.version),
        followers: followers(workspace, &name),
        enabled: mapping.enabled,
        destination_off: enabled.is_err_and(|failure| failure.code == Code::DestinationDisabled),
        pill: match latest {
            _ if running => Pill::RUNNING,
            _ if queued => Pill::QUEUED,
            Some(sync) => Pill::of_sync(sync),
            None => Pill::NEVER,
        },
        model: mapping.model.clone(),
        source: workspace.model(&mapping.model)?.source.clone(),
        destination: mapping.destination.clone(),
        tool: tool(workspace, mapping),
        records: operations(|operation| mapping.records.takes(operation)),
        schedule: super::schedule::words(&mapping.schedule),
        inherits_schedule: mapping.inherits_schedule
            && workspace.model(&mapping.model)?.schedule.is_some(),
        next: next(outlook.as_ref(), now, clock::alone),
        last: latest.map(|sync| (format!("/syncs/{}", sync.id), ago(now, sync.started_at))),
        held: latest
            .filter(|sync| sync.status == Status::Held)
            .and_then(|sync| sync.failure.clone()),
        held_backfill: latest.is_some_and(|sync| sync.kind == SyncKind::Backfill),
        no_backfill: sends_again(mapping).err(),
        paused: match outlook {
            Some(Outlook::Paused { until }) => Some(clock::alone(now, until)),
            Some(
                Outlook::Running
                | Outlook::Queued { .. }
                | Outlook::Due { .. }
                | Outlook::After { .. }
                | Outlook::AfterDbtCloudJob { .. }
                | Outlook::Idle { .. },
            )
            | None => None,
        },
        // A held sync has a notice of its own.
        alerts: app
            .alerts
            .of(&name)
            .into_iter()
            .filter(|alert| alert.trouble != Trouble::Held.as_str())
            .map(|alert| AlertLine::new(alert, now))
            .collect(),
        busy: running || queued,
        delivered: count(history.iter().map(|sync| sync.counts.delivered.total()).sum()),
        success: success(&history),
        chart: Chart::new(&history),
        lines: history.iter().map(|sync| Line::new(now, sync)).collect(),
        name,
    })
}

fn followers(workspace: &Workspace, name: &str) -> Vec<String> {
    let mappings = workspace.project.mappings.iter();
    let followers = mappings.filter(|(_, mapping)| mapping.schedule.after() == Some(name));
    followers.map(|(follower, _)| follower.clone()).collect()
}

/// The operations that are sent, in words.
fn operations(takes: impl Fn(Operation) -> bool) -> String {
    let words: Vec<_> = Operation::ALL
        .into_iter()
        .filter(|operation| takes(*operation))
        .map(Operation::as_str)
        .collect();
    words.join(" or ")
}

/// The share of records that were delivered, of those that were to be.
fn success(history: &[SyncRecord]) -> Option<String> {
    let delivered: u64 = history.iter().map(|sync| sync.counts.delivered.total()).sum();
    let all: u64 = history.iter().map(|sync| sync.counts.extracted.total()).sum();
    let tenths = (delivered * 1000).checked_div(all)?;
    Some(format!("{}.{} %", tenths / 10, tenths % 10))
}

/// What people may ask for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    Sync,
    Approved,
    Backfill,
    ApprovedBackfill,
    Rebase,
    Reset,
    Enable,
    Disable,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    wish: Wish,
}

/// Does what somebody asks of a mapping.
pub(super) async fn act(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
    Form(Asked { wish }): Form<Asked>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Mappings, &name)?;
    match wish {
        Wish::Sync => app.request(&actor, &name, Work::Sync).await?,
        Wish::Approved => app.request(&actor, &name, Work::ApprovedSync).await?,
        Wish::Backfill => app.request(&actor, &name, Work::Backfill).await?,
        Wish::ApprovedBackfill => app.request(&actor, &name, Work::ApprovedBackfill).await?,
        Wish::Rebase => app.request(&actor, &name, Work::Rebase).await?,
        Wish::Reset => app.reset(&actor, &name).await?,
        Wish::Enable => {
            app.switch(&actor, (Section::Mappings, &name), true, None).await?;
        }
        Wish::Disable => {
            app.switch(&actor, (Section::Mappings, &name), false, None).await?;
        }
    }
    Ok(Redirect::to(&format!("/mappings/{name}")).into_response())
}

/// How many records a backfill would send again, in words.
pub(super) async fn tracked(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let words = match app.tracked(&name).await? {
        Ok(1) => "1 record was sent before.".to_owned(),
        Ok(records) => format!("{} records were sent before.", count(records)),
        Err(_) => "How many that are is not known: the source does not answer now.".to_owned(),
    };
    Ok(words.into_response())
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanFragment {
    frame: Frame,
    name: String,
    rows: Vec<(&'static str, String, bool)>,
    discarded: String,
    tracked: String,
    held: Option<Failure>,
    recipe_changed: Option<String>,
    requests: Vec<String>,
    rejected: Vec<(String, Failure)>,
}

/// What a sync would do now: a dry run in the warehouse, which costs as much as a diff.
pub(super) async fn plan(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let configuration = app.configuration();
    let planned = app.plan(&name, SHOWN).await?;
    let records = configuration.workspace.mapping(&name)?.records;
    let DryRun { diff, recipe_changed, held, batches, rejected } = planned;
    let row = |operation: Operation| {
        (operation.as_str(), count(diff.changes.get(operation)), records.takes(operation))
    };
    let requests = batches.iter().flat_map(|batch| &batch.requests).map(|request| {
        let headers = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        format!(
            "{} {}\n{}\n{}",
            request.method,
            request.url,
            headers.collect::<String>(),
            request.body
        )
    });
    page(&PlanFragment {
        frame: Frame::new(&app, &actor, "mappings"),
        rows: Operation::ALL.into_iter().map(row).collect(),
        discarded: count(diff.discarded.null + diff.discarded.duplicates.total()),
        tracked: count(diff.tracked),
        held,
        recipe_changed,
        requests: requests.collect(),
        rejected,
        name,
    })
}
