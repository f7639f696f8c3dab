//! A folder's configuration as a whole.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use ebb_engine::Effect;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    effects,
    extract::{Body, Editor},
    sections::{
        alert_rules::AlertRuleDocument, channels::ChannelDocument,
        destinations::DestinationDocument, mappings::MappingDocument, models::ModelDocument,
        sources::SourceDocument,
    },
    shapes,
};
use crate::{
    app::{App, Doing, Plan, Planned, Section, Touched, Wanted},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(plan)).routes(routes!(apply))
}

/// What a folder says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Folder {
    documents: Documents,
    /// Whether what was made on the server and is not among the documents is removed.
    #[serde(default)]
    prune: bool,
}

/// Documents by name, each as project files have it, secrets in plain text. A secret that is left out
/// stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Documents {
    sources: BTreeMap<String, SourceDocument>,
    models: BTreeMap<String, ModelDocument>,
    destinations: BTreeMap<String, DestinationDocument>,
    mappings: BTreeMap<String, MappingDocument>,
    channels: BTreeMap<String, ChannelDocument>,
    alert_rules: BTreeMap<String, AlertRuleDocument>,
}

impl From<Folder> for Wanted {
    fn from(Folder { documents, prune }: Folder) -> Self {
        let Documents { sources, models, destinations, mappings, channels, alert_rules } =
            documents;
        let documents = [
            (Section::Sources, plain(sources)),
            (Section::Models, plain(models)),
            (Section::Destinations, plain(destinations)),
            (Section::Mappings, plain(mappings)),
            (Section::Channels, plain(channels)),
            (Section::AlertRules, plain(alert_rules)),
        ];
        Self { documents: documents.into(), prune }
    }
}

fn plain<D: Into<Map<String, Value>>>(
    documents: BTreeMap<String, D>,
) -> BTreeMap<String, Map<String, Value>> {
    documents.into_iter().map(|(name, document)| (name, document.into())).collect()
}

/// A folder, and the plan that was looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Application {
    /// The `state` of the plan.
    state: String,
    /// What was planned.
    folder: Folder,
}

/// What becomes of one entry.
#[derive(Debug, Serialize, ToSchema)]
struct StepView {
    section: Section,
    name: String,
    doing: Doing,
    /// How it is, without its secrets; `null` if it is new.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// How it will be, without its secrets; `null` if it goes.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// The settings whose secrets are new or others than before.
    secrets: Vec<String>,
}

/// What applying means for the records that a mapping sent before.
#[derive(Debug, Serialize, ToSchema)]
struct TouchedView {
    mapping: String,
    #[schema(value_type = shapes::Effect)]
    effect: Effect,
    /// The kind of sync that may follow: `backfill` sends the records again, `rebase` does not.
    #[schema(required, nullable)]
    offers: Option<&'static str>,
}

/// What becomes of the server's configuration.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
struct AppliedView {
    /// Names the state of the configuration that this is true of: what applies it sends it along.
    state: String,
    /// What becomes of each entry that the folder has or that goes.
    steps: Vec<StepView>,
    /// Mappings that sent records which another one would send now.
    effects: Vec<TouchedView>,
}

impl From<Plan> for AppliedView {
    fn from(Plan { state, steps, effects }: Plan) -> Self {
        let view = |Planned { section, name, doing, before, after, secrets }| StepView {
            section,
            name,
            doing,
            before,
            after,
            secrets,
        };
        let touched = |touched: Touched| TouchedView {
            offers: effects::offers(&touched),
            effect: touched.effect,
            mapping: touched.mapping,
        };
        Self {
            state,
            steps: steps.into_iter().map(view).collect(),
            effects: effects.into_iter().map(touched).collect(),
        }
    }
}

/// Say what would change if a folder were applied
#[utoipa::path(post, path = "/apply/plan", tag = "apply", request_body = Folder,
    responses((status = 200, description = "What would change", body = AppliedView)))]
async fn plan(
    State(app): State<Arc<App>>,
    _: Editor,
    Body(folder): Body<Folder>,
) -> Result<Json<AppliedView>, Refusal> {
    Ok(Json(app.plan_of(&folder.into()).await?.into()))
}

/// Apply a folder, whole or not at all
#[utoipa::path(post, path = "/apply", tag = "apply", request_body = Application,
    responses((status = 200, description = "What has changed, and the new state", body = AppliedView)))]
async fn apply(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Body(application): Body<Application>,
) -> Result<Json<AppliedView>, Refusal> {
    let Application { state, folder } = application;
    Ok(Json(app.apply(&actor.told(), &folder.into(), &state).await?.into()))
}
