//! What a mapping would do, does next, and is told to do.

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use ebb_core::port::{Diff, ShownRequest, Verdict};
use ebb_engine::{DryRun, Journey, JourneyStep, Outlook};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    entries,
    extract::{Editor, Path, Query},
    once::{self, Key},
    sections::mappings::MappingDocument,
    shapes,
    views::FailureView,
};
use crate::{
    access::Actor,
    app::{App, Section},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(plan))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(reset))
        .routes(routes!(outlook))
        .routes(routes!(journey))
}

/// How much is shown.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The requests of the first so many records, at most 100; 3 if absent.
    #[param(maximum = 100)]
    show: Option<u8>,
}

/// What a sync would do now.
#[derive(Debug, Serialize, ToSchema)]
struct PlanView {
    #[schema(value_type = shapes::Diff)]
    diff: Diff,
    /// How the checksums differ from the tracked ones in their making, if they do: what is touched by it
    /// counts as updated.
    #[schema(required, nullable)]
    recipe_changed: Option<String>,
    /// Why the sync would be held, if it would.
    #[schema(required, nullable)]
    held: Option<FailureView>,
    /// The exact requests of the first records.
    batches: Vec<BatchView>,
    /// Records among the first ones that would be discarded.
    rejected: Vec<RejectedView>,
}

/// The first requests of one batch. Later ones may depend on the answers.
#[derive(Debug, Serialize, ToSchema)]
struct BatchView {
    record_ids: Vec<String>,
    #[schema(value_type = Vec<shapes::ShownRequest>)]
    requests: Vec<ShownRequest>,
}

/// A record that would be discarded.
#[derive(Debug, Serialize, ToSchema)]
struct RejectedView {
    record_id: String,
    failure: FailureView,
}

impl From<DryRun> for PlanView {
    fn from(plan: DryRun) -> Self {
        let DryRun { diff, recipe_changed, held, batches, rejected } = plan;
        let batch = |batch: ebb_engine::ShownBatch| BatchView {
            record_ids: batch.record_ids,
            requests: batch.requests,
        };
        let rejected = rejected.iter().map(|(record_id, failure)| RejectedView {
            record_id: record_id.clone(),
            failure: FailureView::from(failure),
        });
        Self {
            diff,
            recipe_changed,
            held: held.as_ref().map(FailureView::from),
            batches: batches.into_iter().map(batch).collect(),
            rejected: rejected.collect(),
        }
    }
}

/// Find out what a sync would do now, with its exact requests; nothing is sent
#[utoipa::path(post, path = "/mappings/{name}/plan", tag = "mappings",
    params(("name" = String, Path), Wanted),
    responses((status = 200, description = "The plan", body = PlanView)))]
async fn plan(
    State(app): State<Arc<App>>,
    _: Editor,
    Path(name): Path<String>,
    Query(Wanted { show }): Query<Wanted>,
) -> Result<Json<PlanView>, Refusal> {
    let show = usize::from(show.unwrap_or(3).min(100));
    Ok(Json(app.plan(&name, show).await?.into()))
}

/// Switch a mapping on; with an interval it syncs at once
#[utoipa::path(post, path = "/mappings/{name}/enable", tag = "mappings", params(("name" = String, Path)),
    responses((status = 200, description = "As it is now",
        body = entries::Configured<MappingDocument>)))]
async fn enable(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    app.switch(&actor, (Section::Mappings, &name), true, None).await?;
    entries::one::<MappingDocument>(&app, Section::Mappings, &name)
}

/// Switch a mapping off
#[utoipa::path(post, path = "/mappings/{name}/disable", tag = "mappings", params(("name" = String, Path)),
    responses((status = 200, description = "As it is now",
        body = entries::Configured<MappingDocument>)))]
async fn disable(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    app.switch(&actor, (Section::Mappings, &name), false, None).await?;
    entries::one::<MappingDocument>(&app, Section::Mappings, &name)
}

/// What was reset.
#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    mapping: String,
    /// Always true.
    reset: bool,
}

/// Forget the tracked state: the next sync sees every record as added
///
/// With an `Idempotency-Key` the same request within a day gives the same answer and forgets nothing more.
#[utoipa::path(post, path = "/mappings/{name}/reset", tag = "mappings",
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header,
        description = "Any text of up to 255 characters, new for every reset that is meant anew")),
    responses((status = 200, description = "It is forgotten", body = Reset)))]
async fn reset(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(name): Path<String>,
    key: Key,
) -> Result<Json<Value>, Refusal> {
    let once = key.once(&actor, format!("{name} reset"));
    let asked = Arc::clone(&app);
    let work = async move {
        asked.reset(&actor, &name).await?;
        Ok(Reset { mapping: name, reset: true })
    };
    once::done(&app, once, work).await
}

/// Say when a mapping syncs next, and if it does not, why not
#[utoipa::path(get, path = "/mappings/{name}/outlook", tag = "mappings", params(("name" = String, Path)),
    responses((status = 200, description = "What comes next", body = shapes::Outlook)))]
async fn outlook(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(name): Path<String>,
) -> Result<Json<Outlook>, Refusal> {
    Ok(Json(app.outlook(&name)?))
}

/// Which record.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfRecord {
    /// The record's identifier.
    record_id: String,
}

/// What became of a record.
#[derive(Debug, Serialize, ToSchema)]
struct JourneyView {
    /// The syncs in which it was a change, the newest first.
    steps: Vec<JourneyStepView>,
    /// How many syncs were looked through.
    looked_at: usize,
    /// Whether there are older syncs, or ones whose records are no longer kept.
    more: bool,
}

/// What became of a record in one sync.
#[derive(Debug, Serialize, ToSchema)]
struct JourneyStepView {
    sync: String,
    started_at: jiff::Timestamp,
    /// `added`, `updated` or `deleted`; `null` if its row was discarded by the diff.
    #[schema(required, nullable)]
    operation: Option<&'static str>,
    /// Its columns as they were, as JSON text without secrets; cut where it is long.
    values: String,
    /// `delivered`, `failed` or `discarded`; `null` while nothing has become of it.
    #[schema(required, nullable)]
    outcome: Option<&'static str>,
    /// Why, where that is kept: of each reason the first few records are.
    #[schema(required, nullable)]
    failure: Option<FailureView>,
    /// What was sent, where that is kept.
    #[schema(required, nullable)]
    payload: Option<String>,
    /// What was answered, where that is kept.
    #[schema(required, nullable)]
    reply: Option<String>,
}

impl From<JourneyStep> for JourneyStepView {
    fn from(step: JourneyStep) -> Self {
        let JourneyStep { sync, operation, values, verdict, failure } = step;
        let (failure, sample) = failure.unzip();
        let view = failure.as_ref().map(FailureView::from);
        let (payload, reply) = sample.map(|sample| (sample.payload, sample.reply)).unzip();
        Self {
            sync: sync.id.to_string(),
            started_at: sync.started_at,
            operation: operation.map(ebb_core::Operation::as_str),
            values,
            outcome: verdict.map(|verdict| match verdict {
                Verdict::Delivered => "delivered",
                Verdict::Failed => "failed",
                Verdict::Discarded => "discarded",
            }),
            failure: view,
            payload,
            reply: reply.flatten(),
        }
    }
}

/// Look a record up in the past syncs of a mapping
#[utoipa::path(get, path = "/mappings/{name}/journey", tag = "mappings",
    params(("name" = String, Path), OfRecord),
    responses((status = 200, description = "What became of it", body = JourneyView)))]
async fn journey(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(name): Path<String>,
    Query(OfRecord { record_id }): Query<OfRecord>,
) -> Result<Json<JourneyView>, Refusal> {
    let Journey { steps, looked_at, more } = app.journey(&name, &record_id).await?;
    let steps = steps.into_iter().map(JourneyStepView::from).collect();
    Ok(Json(JourneyView { steps, looked_at, more }))
}
