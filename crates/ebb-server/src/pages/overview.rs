//! The latest sync of every mapping, those that need somebody first.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::{
    config::{Mapping, Project},
    port::{Clock, Status, Store, SyncRecord},
};
use ebb_engine::Outlook;
use ebb_store::Latest;
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Frame, clock,
    list::{Paged, address, fits},
    page,
    spark::Spark,
    words::{Pill, ago, count, length, next},
};
use crate::{
    access::Actor,
    app::{App, Section},
    refusal::Refusal,
};

/// What is shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    status: String,
    source: String,
    destination: String,
    q: String,
    page: usize,
}

impl Filter {
    /// The address of a page of the same list.
    fn address(&self, page: usize) -> String {
        let filter: [(&str, &str); 4] = [
            ("status", &self.status),
            ("q", &self.q),
            ("source", &self.source),
            ("destination", &self.destination),
        ];
        address("/", &filter, page)
    }

    /// The same list with another choice of a group.
    fn of_group(&self, status: &str) -> Self {
        Self { status: status.to_owned(), ..self.clone() }
    }
}

/// A choice above the list, with how many mappings it shows.
struct Choice {
    word: &'static str,
    address: String,
    count: String,
    chosen: bool,
}

/// A group of mappings by their latest sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Running,
    NeedsYou,
    Succeeded,
    Off,
}

/// A line of the list.
struct Row {
    name: String,
    model: String,
    destination: String,
    monogram: String,
    action: String,
    from_files: bool,
    pill: Pill,
    /// The latest sync and when it was.
    last: Option<(String, String)>,
    below_last: String,
    delivered: String,
    failed: String,
    some_failed: bool,
    /// Why the latest sync ended early: its code, what happened.
    why: Option<(&'static str, String)>,
    held: bool,
    progress: Option<Progress>,
    spark: Spark,
    next: (String, String),
}

/// How far a sync is.
struct Progress {
    done: u64,
    of: u64,
    words: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    filter: Filter,
    choices: Vec<Choice>,
    sources: Vec<String>,
    destinations: Vec<String>,
    rows: Vec<Row>,
    shown: String,
    total: usize,
    paged: Paged,
    /// The address of what is shown.
    here: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(filter): Query<Filter>,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    let project = &configuration.workspace.project;
    let latest = app.store.latest_syncs().await?;
    let latest: HashMap<&str, &Latest> =
        latest.iter().map(|latest| (latest.mapping.as_str(), latest)).collect();
    let group = |name: &str| {
        group(&configuration.workspace, name, latest.get(name).map(|latest| latest.status))
    };
    let found: Vec<(&String, &Mapping, Group)> = project
        .mappings
        .iter()
        .filter(|(name, mapping)| matches(&filter, project, name, mapping))
        .map(|(name, mapping)| (name, mapping, group(name)))
        .collect();
    let choices = choices(&filter, &found);
    let chosen =
        CHOICES.iter().find(|(key, ..)| *key == filter.status).and_then(|(.., group)| *group);
    let mut listed = found;
    listed.retain(|(.., group)| chosen.is_none_or(|chosen| chosen == *group));
    listed.sort_by_key(|(name, _, group)| {
        // Identities sort by time.
        let sync = latest.get(name.as_str()).map(|latest| latest.sync);
        (order(*group), std::cmp::Reverse(sync))
    });
    let paged = Paged::cut(&mut listed, filter.page, |number| filter.address(number));
    let mut rows = Vec::new();
    for (name, mapping, _) in listed {
        rows.push(row(&app, name, mapping).await?);
    }
    page(&OverviewPage {
        frame: Frame::new(&app, &actor, "overview"),
        choices,
        sources: project.sources.keys().cloned().collect(),
        destinations: project.destinations.keys().cloned().collect(),
        shown: format!("{} of {} mappings, those that need you first", rows.len(), paged.of),
        total: project.mappings.len(),
        here: filter.address(filter.page),
        paged,
        rows,
        filter,
    })
}

/// The choices above the list: key, word, group.
const CHOICES: [(&str, &str, Option<Group>); 5] = [
    ("", "All", None),
    ("running", "In progress", Some(Group::Running)),
    ("needs-you", "Needs you", Some(Group::NeedsYou)),
    ("succeeded", "Succeeded", Some(Group::Succeeded)),
    ("off", "Not enabled", Some(Group::Off)),
];

fn choices(filter: &Filter, found: &[(&String, &Mapping, Group)]) -> Vec<Choice> {
    let choice = |(key, word, group): (&str, &'static str, Option<Group>)| {
        let counted = found.iter().filter(|(.., of)| group.is_none_or(|group| group == *of));
        Choice {
            word,
            address: filter.of_group(key).address(1),
            count: count(counted.count() as u64),
            chosen: filter.status == key,
        }
    };
    CHOICES.map(choice).into()
}

const fn order(group: Group) -> u8 {
    match group {
        Group::NeedsYou => 0,
        Group::Running => 1,
        Group::Succeeded => 2,
        Group::Off => 3,
    }
}

fn group(workspace: &ebb_workspace::Workspace, name: &str, latest: Option<Status>) -> Group {
    if workspace.enabled(name).is_err() {
        return Group::Off;
    }
    match latest {
        Some(Status::Extracting | Status::Loading | Status::Committing) => Group::Running,
        Some(Status::Failed | Status::Held | Status::Partial | Status::Canceled) => Group::NeedsYou,
        Some(Status::Succeeded) | None => Group::Succeeded,
    }
}

fn matches(filter: &Filter, project: &Project, name: &str, mapping: &Mapping) -> bool {
    let model = project.models.get(&mapping.model);
    let texts = [name, &mapping.model, &mapping.destination, &mapping.action];
    fits(&filter.q, &texts)
        && (filter.source.is_empty() || model.is_some_and(|model| model.source == filter.source))
        && (filter.destination.is_empty() || mapping.destination == filter.destination)
}

async fn row(app: &App, name: &str, mapping: &Mapping) -> Result<Row, Refusal> {
    let configuration = app.configuration();
    let tool = super::tool(&configuration.workspace, mapping);
    let now = SystemClock.now();
    let history = app.store.syncs(Some(name), Spark::BARS).await?;
    let latest = history.first();
    let outlook = app.scheduler.with(|table| table.outlook(name));
    let running = latest.is_some_and(|sync| !sync.status.is_final());
    let queued = !running && matches!(outlook, Some(Outlook::Queued { .. }));
    let counts = latest.map(|sync| sync.counts).unwrap_or_default();
    let failed = counts.failed.total() + counts.discarded.total();
    Ok(Row {
        name: name.to_owned(),
        model: mapping.model.clone(),
        destination: tool.name,
        monogram: tool.monogram,
        action: tool.action,
        from_files: configuration.in_files(Section::Mappings, name),
        pill: match latest {
            _ if queued => Pill::QUEUED,
            _ if matches!(outlook, Some(Outlook::Running)) => Pill::RUNNING,
            Some(sync) => Pill::of_sync(sync),
            None => Pill::NEVER,
        },
        last: latest.map(|sync| {
            let when = if running { "Running".to_owned() } else { ago(now, sync.started_at) };
            (format!("/syncs/{}", sync.id), when)
        }),
        below_last: latest.map(|sync| below(now, sync)).unwrap_or_default(),
        delivered: latest.map_or_else(|| "–".to_owned(), |_| count(counts.delivered.total())),
        failed: latest.map_or_else(|| "–".to_owned(), |_| count(failed)),
        some_failed: failed > 0,
        why: latest.and_then(|sync| {
            let failure = sync.failure.as_ref()?;
            Some((failure.code.as_str(), failure.message().to_owned()))
        }),
        held: latest.is_some_and(|sync| sync.status == Status::Held),
        progress: latest.filter(|_| running).map(|sync| progress(app, sync)),
        spark: Spark::new(&history),
        next: next(outlook.as_ref(), now, clock::listed),
    })
}

fn below(now: Timestamp, sync: &SyncRecord) -> String {
    let until = sync.finished_at.unwrap_or(now);
    let took = length(until.duration_since(sync.started_at).unsigned_abs());
    match sync.status {
        Status::Extracting | Status::Loading | Status::Committing => format!("started {took} ago"),
        Status::Failed => format!("failed after {took}"),
        Status::Held => format!("guard after {took}"),
        Status::Canceled => format!("canceled after {took}"),
        Status::Succeeded | Status::Partial => took,
    }
}

fn progress(app: &App, sync: &SyncRecord) -> Progress {
    let done =
        sync.counts.delivered.total() + sync.counts.failed.total() + sync.counts.discarded.total();
    let (done, of) = match app.scheduler.progress(&sync.mapping) {
        Some(progress) => {
            let seen = progress.snapshot();
            (seen.delivered + seen.failed + seen.discarded, seen.extracted)
        }
        None => (done, sync.counts.extracted.total()),
    };
    let words = match sync.status {
        Status::Extracting => "Extracting".to_owned(),
        Status::Committing => "Committing".to_owned(),
        Status::Loading
        | Status::Succeeded
        | Status::Partial
        | Status::Failed
        | Status::Canceled
        | Status::Held => format!("Loading · {} of {}", count(done), count(of)),
    };
    Progress { done, of: of.max(1), words }
}
