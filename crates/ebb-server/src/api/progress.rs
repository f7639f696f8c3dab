//! How far a sync is, told about once a second while it runs.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use ebb_core::{Failure, port::SyncRecord};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{extract::Path, shapes};
use crate::{access::Actor, app::App, refusal::Refusal};

/// Between two events.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(progress))
}

/// How far a sync is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProgressView {
    id: String,
    #[schema(value_type = shapes::SyncStatus)]
    status: &'static str,
    extracted: u64,
    delivered: u64,
    failed: u64,
    discarded: u64,
}

/// An event of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what a stream is made of")]
struct ProgressEvent {
    /// `progress`, or `end` for the last one.
    event: String,
    /// JSON, as `ProgressView` has it.
    data: String,
}

impl ProgressView {
    fn new(app: &App, sync: &SyncRecord) -> Self {
        let counts = sync.counts;
        let kept = Self {
            id: sync.id.to_string(),
            status: sync.status.as_str(),
            extracted: counts.extracted.total(),
            delivered: counts.delivered.total(),
            failed: counts.failed.total(),
            discarded: counts.discarded.total(),
        };
        let running = app.scheduler.progress(&sync.mapping).filter(|_| !sync.status.is_final());
        let Some(seen) = running.map(|progress| progress.snapshot()) else { return kept };
        Self {
            extracted: seen.extracted,
            delivered: seen.delivered,
            failed: seen.failed,
            discarded: seen.discarded,
            ..kept
        }
    }

    fn event(&self, name: &str) -> Event {
        Event::default().event(name).json_data(self).unwrap_or_default()
    }
}

/// Follow a sync by server-sent events
///
/// Events `progress` come about once a second, and `end` when the sync has ended, which ends the answer too.
/// When the server stops the answer ends without `end`.
#[utoipa::path(get, path = "/syncs/{id}/progress", tag = "syncs", params(("id" = String, Path)),
    responses((status = 200, description = "Events; the schema is that of each",
        body = ProgressEvent, content_type = "text/event-stream")))]
async fn progress(
    State(app): State<Arc<App>>,
    Extension(stop): Extension<CancellationToken>,
    _: Actor,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let first = app.sync(&id).await?;
    let events = stream::unfold(Some((first, Turn::First)), move |state| {
        let (app, stop) = (Arc::clone(&app), stop.clone());
        async move {
            let (sync, turn) = state?;
            let sync = turn.wait(&app, &stop, sync).await.ok()??;
            let told = ProgressView::new(&app, &sync);
            if sync.status.is_final() {
                return Some((Ok(told.event("end")), None));
            }
            Some((Ok(told.event("progress")), Some((sync, Turn::Next))))
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Whether something was told already.
#[derive(Debug, Clone, Copy)]
enum Turn {
    First,
    Next,
}

impl Turn {
    /// The sync as it is when the next event is due; `None` if the server stops before.
    async fn wait(
        self,
        app: &App,
        stop: &CancellationToken,
        sync: SyncRecord,
    ) -> Result<Option<SyncRecord>, Failure> {
        match self {
            Self::First => Ok(Some(sync)),
            Self::Next => {
                tokio::select! {
                    () = stop.cancelled() => Ok(None),
                    () = tokio::time::sleep(PAUSE) => app.sync(&sync.id.to_string()).await.map(Some),
                }
            }
        }
    }
}
