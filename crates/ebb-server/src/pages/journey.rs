//! One record's way through the syncs of a mapping.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use ebb_core::{
    Failure,
    port::{Clock, Sample},
};
use ebb_engine::{Journey, JourneyStep};
use ebb_workspace::SystemClock;
use serde::Deserialize;

use super::{
    Frame, page,
    sync::kind,
    words::{Pill, ago},
};
use crate::{access::Actor, app::App, refusal::Refusal};

/// What became of the record in one sync.
struct Step {
    sync: String,
    when: String,
    kind: &'static str,
    what: &'static str,
    pill: Pill,
    values: String,
    failure: Option<(Failure, Sample)>,
}

#[derive(Template)]
#[template(path = "journey.html")]
struct JourneyPage {
    frame: Frame,
    mapping: String,
    record: String,
    steps: Vec<Step>,
    looked_at: usize,
    more: bool,
}

/// Which record.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    record: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
    Query(Asked { record }): Query<Asked>,
) -> Result<Response, Refusal> {
    let record = record.trim().to_owned();
    let Journey { steps, looked_at, more } = app.journey(&name, &record).await?;
    let now = SystemClock.now();
    page(&JourneyPage {
        frame: Frame::new(&app, &actor, "mappings"),
        mapping: name,
        record,
        steps: steps
            .into_iter()
            .map(|JourneyStep { sync, operation, values, verdict, failure }| Step {
                sync: sync.id.to_string(),
                when: ago(now, sync.started_at),
                kind: kind(sync.kind),
                what: operation.map_or("not taken up", ebb_core::Operation::as_str),
                pill: Pill::of_record(verdict),
                values,
                failure,
            })
            .collect(),
        looked_at,
        more,
    })
}
