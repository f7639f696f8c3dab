//! A folder's configuration as a whole.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor},
    sections::{
        alert_rules::AlertRuleDocument, channels::ChannelDocument,
        destinations::DestinationDocument, mappings::MappingDocument, models::ModelDocument,
        sources::SourceDocument,
    },
};
use crate::{
    app::{App, Doing, Planned, Section, Wanted},
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

/// What becomes of the server's configuration.
#[derive(Debug, Serialize, ToSchema)]
struct Plan {
    /// Names the state of the configuration that this is true of: what applies it sends it along.
    state: String,
    /// What becomes of each entry that the folder has or that goes.
    steps: Vec<StepView>,
}

impl From<(String, Vec<Planned>)> for Plan {
    fn from((state, planned): (String, Vec<Planned>)) -> Self {
        let view = |Planned { section, name, doing, before, after, secrets }| StepView {
            section,
            name,
            doing,
            before,
            after,
            secrets,
        };
        Self { state, steps: planned.into_iter().map(view).collect() }
    }
}

/// Say what would change if a folder were applied
#[utoipa::path(post, path = "/apply/plan", tag = "apply", request_body = Folder,
    responses((status = 200, description = "What would change", body = Plan)))]
async fn plan(
    State(app): State<Arc<App>>,
    _: Editor,
    Body(folder): Body<Folder>,
) -> Result<Json<Plan>, Refusal> {
    Ok(Json(app.plan_of(&folder.into())?.into()))
}

/// Apply a folder, whole or not at all
#[utoipa::path(post, path = "/apply", tag = "apply", request_body = Application,
    responses((status = 200, description = "What has changed, and the new state", body = Plan)))]
async fn apply(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Body(application): Body<Application>,
) -> Result<Json<Plan>, Refusal> {
    let Application { state, folder } = application;
    Ok(Json(app.apply(&actor.told(), &folder.into(), &state).await?.into()))
}
