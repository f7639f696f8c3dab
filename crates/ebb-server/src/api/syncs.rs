//! Syncs: what ran, what failed, and what is to run.

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use ebb_core::{Code, Failure, SyncId, port::Status};
use ebb_engine::Work;
use ebb_store::SyncFilter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor, Path, Query},
    once::{self, Accepted, Key},
    paging::{self, Page},
    shapes,
    views::{FailureGroupView, SyncView},
};
use crate::{access::Actor, app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(start))
        .routes(routes!(cancel))
        .routes(routes!(replay))
        .routes(routes!(failures))
}

/// Which syncs are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those of this mapping.
    mapping: Option<String>,
    /// Those with this status.
    #[param(value_type = Option<shapes::SyncStatus>)]
    status: Option<Status>,
    /// The `next_cursor` of the piece before; the newest if absent.
    cursor: Option<String>,
    /// How many at most, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// List syncs, the newest first
#[utoipa::path(get, path = "/syncs", tag = "syncs", params(Wanted),
    responses((status = 200, description = "Without the failures of records", body = Page<SyncView>)))]
async fn list(
    State(app): State<Arc<App>>,
    _: Actor,
    Query(Wanted { mapping, status, cursor, limit }): Query<Wanted>,
) -> Result<Json<Page<SyncView>>, Refusal> {
    let limit = paging::limit(limit)?;
    let unknown = |cursor: &str| {
        Failure::new(
            Code::RequestInvalid,
            format!("`{cursor}` is not a `next_cursor` of this list"),
        )
    };
    let before: Option<SyncId> =
        cursor.map(|cursor| cursor.parse().map_err(|_| unknown(&cursor))).transpose()?;
    let filter = SyncFilter {
        mapping,
        status: status.map(|status| status.as_str().to_owned()),
        before: before.map(|id| id.to_string()),
    };
    let syncs = app.store.list_syncs(filter, limit + 1).await?;
    let page = Page::new(syncs, limit, |last| last.id.to_string());
    Ok(Json(page.map(|sync| SyncView::new(&sync, Vec::new()))))
}

/// Read a sync with the reasons why records failed
#[utoipa::path(get, path = "/syncs/{id}", tag = "syncs", params(("id" = String, Path)),
    responses((status = 200, description = "As it is now", body = SyncView)))]
async fn get(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(id): Path<String>,
) -> Result<Json<SyncView>, Refusal> {
    let sync = app.sync(&id).await?;
    let groups = app.failures(&sync).await?;
    Ok(Json(SyncView::new(&sync, groups)))
}

/// What is started.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StartKind {
    /// Deliver what changed.
    Sync,
    /// The same, although a guard would hold it.
    Approved,
    /// Deliver every record again, whether or not it changed: as an update, if it was sent before.
    Backfill,
    /// The same, although a guard would hold it.
    ApprovedBackfill,
    /// Take today's checksums over, and send nothing.
    Rebase,
}

/// What is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Start {
    kind: StartKind,
}

/// Start a sync of a mapping
///
/// It begins as soon as its source has a place. With an `Idempotency-Key` the same request within a day gives
/// the same answer and starts nothing.
#[utoipa::path(post, path = "/mappings/{name}/syncs", tag = "syncs", request_body = Start,
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header,
        description = "Any text of up to 255 characters, new for every sync that is meant anew")),
    responses((status = 202, description = "It will start", body = Accepted)))]
async fn start(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(name): Path<String>,
    key: Key,
    Body(Start { kind }): Body<Start>,
) -> Result<Response, Refusal> {
    let work = match kind {
        StartKind::Sync => Work::Sync,
        StartKind::Approved => Work::ApprovedSync,
        StartKind::Backfill => Work::Backfill,
        StartKind::ApprovedBackfill => Work::ApprovedBackfill,
        StartKind::Rebase => Work::Rebase,
    };
    once::start(&app, actor, key, name, work).await
}

/// Why a sync is to end.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {
    /// Kept with the sync, for whoever looks at it.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: String,
}

/// Whether a sync ends early.
#[derive(Debug, Serialize, ToSchema)]
struct CancelView {
    sync: String,
    #[schema(value_type = shapes::SyncStatus)]
    status: &'static str,
    /// False if it had ended already.
    canceling: bool,
}

/// End a running sync early: batches in flight finish, and what was delivered is committed
#[utoipa::path(post, path = "/syncs/{id}/cancel", tag = "syncs", params(("id" = String, Path)),
    request_body = Option<Cancel>,
    responses((status = 200, description = "Whether it was running", body = CancelView)))]
async fn cancel(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(id): Path<String>,
    wish: Option<Body<Option<Cancel>>>,
) -> Result<Json<CancelView>, Refusal> {
    let sync = app.sync(&id).await?;
    let Cancel { reason } = wish.and_then(|Body(wish)| wish).unwrap_or_default();
    let canceling = app.cancel(&actor, &sync, &reason).await?;
    Ok(Json(CancelView { sync: sync.id.to_string(), status: sync.status.as_str(), canceling }))
}

/// Deliver the changes of a past sync again
#[utoipa::path(post, path = "/syncs/{id}/replay", tag = "syncs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header,
        description = "Any text of up to 255 characters, new for every replay that is meant anew")),
    responses((status = 202, description = "It will start", body = Accepted)))]
async fn replay(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(id): Path<String>,
    key: Key,
) -> Result<Response, Refusal> {
    let sync = app.sync(&id).await?;
    once::start(&app, actor, key, sync.mapping, Work::Replay { of: sync.id }).await
}

/// Why records of a sync failed.
#[derive(Debug, Serialize, ToSchema)]
struct Failures {
    /// The reason with the most records first.
    items: Vec<FailureGroupView>,
}

/// List the reasons why records of a sync failed, with samples
#[utoipa::path(get, path = "/syncs/{id}/failures", tag = "syncs", params(("id" = String, Path)),
    responses((status = 200, description = "By reason", body = Failures)))]
async fn failures(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(id): Path<String>,
) -> Result<Json<Failures>, Refusal> {
    let groups = app.failures(&app.sync(&id).await?).await?;
    Ok(Json(Failures { items: groups.into_iter().map(FailureGroupView::from).collect() }))
}
