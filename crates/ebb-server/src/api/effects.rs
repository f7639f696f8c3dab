//! What an edit would mean for the records that were sent before it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{Json, extract::State};
use ebb_core::Tally;
use ebb_engine::{Effect, Work};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor, Path},
    sections::{mappings::MappingDocument, models::ModelDocument},
    shapes,
    views::FailureView,
};
use crate::{
    app::{App, Extent, Section, Touched},
    refusal::Refusal,
};

/// Counting takes no longer.
const LONGEST: Duration = Duration::from_mins(1);

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(mapping_effect)).routes(routes!(model_effect))
}

/// What an edit would mean. Mappings that are switched off or never synced are not among them.
#[derive(Debug, Serialize, ToSchema)]
struct EffectsView {
    mappings: Vec<EffectView>,
}

/// What an edit would mean for what one mapping sent.
#[derive(Debug, Serialize, ToSchema)]
struct EffectView {
    mapping: String,
    #[schema(value_type = shapes::Effect)]
    effect: Effect,
    /// So many records were sent before and stay as they are; `null` where the next sync tells.
    #[schema(required, nullable)]
    tracked: Option<u64>,
    /// What the next sync would find; only what the mapping sends goes out. `null` where records stay as
    /// they are.
    #[schema(required, nullable, value_type = Option<shapes::Tally>)]
    changes: Option<Tally>,
    /// The columns that the mapping reads and that the model would not have: records would go out without
    /// them. None are named where the source does not tell.
    lacking: BTreeSet<String>,
    /// The kind of sync that may follow the edit: `backfill` sends the records again, `rebase` does not.
    #[schema(required, nullable)]
    offers: Option<&'static str>,
    /// Why there are no numbers. The edit can be made all the same.
    #[schema(required, nullable)]
    failure: Option<FailureView>,
}

/// Find out what an edit of a mapping would mean for the records that it sent; nothing is changed
///
/// The source is asked, for up to a minute.
#[utoipa::path(post, path = "/mappings/{name}/effect", tag = "mappings",
    params(("name" = String, Path)), request_body = MappingDocument,
    responses((status = 200, description = "By mapping", body = EffectsView)))]
async fn mapping_effect(
    State(app): State<Arc<App>>,
    _: Editor,
    Path(name): Path<String>,
    Body(document): Body<MappingDocument>,
) -> Result<Json<EffectsView>, Refusal> {
    effects(&app, Section::Mappings, &name, document.into()).await
}

/// Find out what an edit of a model would mean for the records that its mappings sent; nothing is changed
///
/// The source is asked, for up to a minute.
#[utoipa::path(post, path = "/models/{name}/effect", tag = "models",
    params(("name" = String, Path)), request_body = ModelDocument,
    responses((status = 200, description = "By mapping", body = EffectsView)))]
async fn model_effect(
    State(app): State<Arc<App>>,
    _: Editor,
    Path(name): Path<String>,
    Body(document): Body<ModelDocument>,
) -> Result<Json<EffectsView>, Refusal> {
    effects(&app, Section::Models, &name, document.into()).await
}

async fn effects(
    app: &App,
    section: Section,
    name: &str,
    document: Map<String, Value>,
) -> Result<Json<EffectsView>, Refusal> {
    app.configuration().find(section, name)?;
    let draft = app.edited(section, name, document)?;
    let until = Instant::now() + LONGEST;
    let mut mappings = Vec::new();
    for touched in app.touched(&draft, section).await? {
        let extent = app.extent(&draft, &touched, until).await;
        let lacking = app.lacking(&draft, &touched, until).await;
        mappings.push(EffectView::new(touched, lacking, extent));
    }
    Ok(Json(EffectsView { mappings }))
}

/// The kind of sync that may follow an edit.
pub(super) fn offers(touched: &Touched) -> Option<&'static str> {
    match touched.offers()? {
        Work::Backfill => Some("backfill"),
        Work::Rebase => Some("rebase"),
        Work::Sync | Work::ApprovedSync | Work::ApprovedBackfill | Work::Replay { .. } => None,
    }
}

impl EffectView {
    fn new(
        touched: Touched,
        lacking: BTreeSet<String>,
        extent: Result<Extent, ebb_core::Failure>,
    ) -> Self {
        let offers = offers(&touched);
        let (tracked, changes, failure) = match extent {
            Ok(Extent::Stay(records)) => (Some(records), None, None),
            Ok(Extent::Change(changes)) => (None, Some(changes), None),
            Err(failure) => (None, None, Some(FailureView::from(&failure))),
        };
        let Touched { mapping, effect, .. } = touched;
        Self { mapping, effect, tracked, changes, lacking, offers, failure }
    }
}
