//! The history: all syncs, the newest first.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::port::{Cancellation, Clock, SyncRecord};
use ebb_store::SyncFilter;
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    Frame, clock,
    list::{ROWS, older},
    page,
    words::{Pill, ago, count, length},
};
use crate::{access::Actor, app::App, refusal::Refusal};

/// A sync as a line of a list.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) mapping: String,
    pub(super) pill: Pill,
    /// What it was, if it was no ordinary sync.
    pub(super) kind: &'static str,
    pub(super) when: String,
    pub(super) clock: String,
    pub(super) took: String,
    pub(super) extracted: String,
    pub(super) delivered: String,
    pub(super) failed: String,
    pub(super) discarded: String,
    pub(super) some_failed: bool,
    pub(super) why: Option<(&'static str, String)>,
    /// Who canceled it, and their reason.
    pub(super) canceled: Option<String>,
}

impl Line {
    pub(super) fn new(now: Timestamp, sync: &SyncRecord) -> Self {
        let counts = sync.counts;
        let until = sync.finished_at.unwrap_or(now);
        Self {
            id: sync.id.to_string(),
            mapping: sync.mapping.clone(),
            pill: Pill::of_sync(sync),
            kind: super::sync::kind(sync.kind),
            when: ago(now, sync.started_at),
            clock: clock::listed(now, sync.started_at),
            took: length(until.duration_since(sync.started_at).unsigned_abs()),
            extracted: count(counts.extracted.total()),
            delivered: count(counts.delivered.total()),
            failed: count(counts.failed.total()),
            discarded: count(counts.discarded.total()),
            some_failed: counts.failed.total() > 0,
            why: sync
                .failure
                .as_ref()
                .map(|failure| (failure.code.as_str(), failure.message().to_owned())),
            canceled: sync.cancellation.as_ref().map(Cancellation::told),
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Asked {
    mapping: String,
    status: String,
    /// The last sync of the page before.
    before: String,
}

#[derive(Template)]
#[template(path = "syncs.html")]
struct SyncsPage {
    frame: Frame,
    asked: Asked,
    mappings: Vec<String>,
    lines: Vec<Line>,
    following: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = SyncFilter {
        mapping: some(&asked.mapping),
        status: some(&asked.status),
        before: some(&asked.before),
    };
    let mut syncs = app.store.list_syncs(filter, ROWS + 1).await?;
    let following = older(&mut syncs, |last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("mapping", &asked.mapping).append_pair("status", &asked.status);
        format!("/syncs?{}", query.append_pair("before", &last.id.to_string()).finish())
    });
    let now = SystemClock.now();
    let configuration = app.configuration();
    page(&SyncsPage {
        frame: Frame::new(&app, &actor, "syncs"),
        asked,
        mappings: configuration.workspace.project.mappings.keys().cloned().collect(),
        lines: syncs.iter().map(|sync| Line::new(now, sync)).collect(),
        following,
    })
}
