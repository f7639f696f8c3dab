//! Which kinds of sources and destinations there are, and what they take.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::{Code, Failure};
use ebb_destination::Category;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Path, Query},
    shapes,
};
use crate::{access::Actor, app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sources))
        .routes(routes!(source))
        .routes(routes!(destinations))
        .routes(routes!(destination))
}

/// Kinds of sources.
#[derive(Debug, Serialize, ToSchema)]
struct SourceKinds {
    #[schema(value_type = Vec<shapes::SourceKind>)]
    items: Vec<&'static ebb_warehouse::Form>,
}

/// List the kinds of sources with their settings
#[utoipa::path(get, path = "/catalog/sources", tag = "catalog",
    responses((status = 200, description = "Every kind", body = SourceKinds)))]
async fn sources(_: Actor) -> Json<SourceKinds> {
    Json(SourceKinds { items: ebb_warehouse::forms().collect() })
}

/// Read the settings of one kind of source
#[utoipa::path(get, path = "/catalog/sources/{kind}", tag = "catalog", params(("kind" = String, Path)),
    responses((status = 200, description = "The kind", body = shapes::SourceKind)))]
async fn source(
    _: Actor,
    Path(kind): Path<String>,
) -> Result<Json<&'static ebb_warehouse::Form>, Refusal> {
    let unknown = || Failure::new(Code::AddressUnknown, format!("there is no kind `{kind}`"));
    Ok(Json(ebb_warehouse::form(&kind).map_err(|_| unknown())?))
}

/// Which destinations are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// What kind, name or description contain.
    search: Option<String>,
    /// What they are for.
    #[param(value_type = Option<shapes::Category>)]
    category: Option<Category>,
}

/// A kind of destination in short.
#[derive(Debug, Serialize, ToSchema)]
struct DestinationLine {
    kind: String,
    name: String,
    description: String,
    /// What it is for, the most important first.
    #[schema(value_type = Vec<shapes::Category>)]
    categories: Vec<Category>,
    /// The keys of its actions.
    actions: Vec<String>,
}

/// Kinds of destinations.
#[derive(Debug, Serialize, ToSchema)]
struct DestinationKinds {
    items: Vec<DestinationLine>,
}

/// List the kinds of destinations
#[utoipa::path(get, path = "/catalog/destinations", tag = "catalog", params(Search),
    responses((status = 200, description = "By kind", body = DestinationKinds)))]
async fn destinations(
    State(app): State<Arc<App>>,
    _: Actor,
    Query(Search { search, category }): Query<Search>,
) -> Json<DestinationKinds> {
    let wanted = search.unwrap_or_default().to_lowercase();
    let configuration = app.configuration();
    let definitions = configuration.workspace.catalog.definitions();
    let lines = definitions.filter_map(|(kind, definition)| {
        let manifest = &definition.ok()?.manifest;
        let found = [kind, &manifest.name, &manifest.description]
            .into_iter()
            .any(|text| text.to_lowercase().contains(&wanted));
        let of_it = category.is_none_or(|category| manifest.categories.contains(&category));
        (found && of_it).then(|| DestinationLine {
            kind: kind.to_owned(),
            name: manifest.name.clone(),
            description: manifest.description.clone(),
            categories: manifest.categories.clone(),
            actions: manifest.actions.keys().map(str::to_owned).collect(),
        })
    });
    Json(DestinationKinds { items: lines.collect() })
}

/// Read the settings, actions and fields of one kind of destination
#[utoipa::path(get, path = "/catalog/destinations/{kind}", tag = "catalog",
    params(("kind" = String, Path)),
    responses((status = 200, description = "The kind", body = shapes::DestinationKind)))]
async fn destination(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(kind): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let unknown = |_| Failure::new(Code::AddressUnknown, format!("there is no kind `{kind}`"));
    let definition = app.configuration().workspace.catalog.find(&kind).map_err(unknown)?;
    let described = serde_json::to_value(definition.describe()).map_err(|error| {
        Failure::new(Code::StateUnavailable, "the kind could not be told").caused_by(error)
    })?;
    Ok(Json(described))
}
