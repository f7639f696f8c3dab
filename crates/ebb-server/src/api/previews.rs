//! What models read.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::{
    Code, Column, Failure, Record,
    port::{self, Clock},
};
use ebb_workspace::{Freshness, Preview, SystemClock};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor, Path, Query},
    shapes,
};
use crate::{access::Actor, app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(preview))
        .routes(routes!(preview_query))
        .routes(routes!(columns))
}

/// The first records of a model.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewView {
    #[schema(value_type = Vec<shapes::Column>)]
    columns: Vec<Column>,
    /// Values by column.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Value>,
    /// When they were read.
    read_at: Timestamp,
    /// How long ago that was; 0 if it was for this request.
    age_seconds: u64,
}

fn view(preview: &Preview) -> Result<Json<PreviewView>, Failure> {
    let rows: Result<_, _> =
        preview.records.iter().map(Record::properties).map(serde_json::to_value).collect();
    let age = SystemClock.now().duration_since(preview.read_at).as_secs();
    Ok(Json(PreviewView {
        columns: preview.records.columns().to_vec(),
        rows: rows.map_err(|error| {
            Failure::new(Code::StateUnavailable, "the records could not be told").caused_by(error)
        })?,
        read_at: preview.read_at,
        age_seconds: if preview.fresh { 0 } else { u64::try_from(age).unwrap_or_default() },
    }))
}

/// How new the records are to be.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Whether the warehouse is asked even if it was within the last ten minutes.
    #[serde(default)]
    refresh: bool,
}

impl Wanted {
    pub(super) const fn freshness(&self) -> Freshness {
        if self.refresh { Freshness::ReadNow } else { Freshness::Kept }
    }
}

/// Which records of a model are read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only records with this text, in small letters or capitals, in the identifier or a column of text; the one that
    /// it identifies comes first. The warehouse reads the whole model for it.
    search: Option<String>,
    /// Whether the warehouse is asked even if it was within the last ten minutes.
    #[serde(default)]
    refresh: bool,
}

/// Read the first records of a model, or those with a text in them
#[utoipa::path(get, path = "/models/{name}/preview", tag = "models",
    params(("name" = String, Path), Which),
    responses((status = 200, description = "The records", body = PreviewView)))]
async fn preview(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(name): Path<String>,
    Query(Which { search, refresh }): Query<Which>,
) -> Result<Json<PreviewView>, Refusal> {
    let wanted = search
        .as_deref()
        .filter(|text| !text.trim().is_empty())
        .map_or(port::Wanted::First, port::Wanted::Containing);
    let freshness = Wanted { refresh }.freshness();
    Ok(view(&app.preview_model(&name, wanted, freshness).await?)?)
}

/// A query that no model has yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// The source's name.
    source: String,
    /// The query, or else `table`.
    query: Option<String>,
    /// A table or view, written as in SQL.
    table: Option<String>,
    /// The identifier column, if one is chosen.
    id: Option<String>,
}

/// Read the first records of a query that is not saved
#[utoipa::path(post, path = "/previews", tag = "models", request_body = Tried, params(Wanted),
    responses((status = 200, description = "The records", body = PreviewView)))]
async fn preview_query(
    State(app): State<Arc<App>>,
    _: Editor,
    Query(wanted): Query<Wanted>,
    Body(tried): Body<Tried>,
) -> Result<Json<PreviewView>, Refusal> {
    let Tried { source, query, table, id } = tried;
    let sql = match (query, table) {
        (Some(query), None) => query,
        (None, Some(table)) => format!("select * from {table}"),
        (Some(_), Some(_)) | (None, None) => {
            let message = "a preview takes either `query` or `table`";
            return Err(Failure::new(Code::RequestInvalid, message)
                .help("Give one of them")
                .into());
        }
    };
    let id = id.unwrap_or_default();
    Ok(view(&app.preview_query(&source, sql, id, wanted.freshness()).await?)?)
}

/// The columns of a model.
#[derive(Debug, Serialize, ToSchema)]
struct Columns {
    #[schema(value_type = Vec<shapes::Column>)]
    items: Vec<Column>,
}

/// List the columns of a model, without running its query
#[utoipa::path(get, path = "/models/{name}/columns", tag = "models", params(("name" = String, Path)),
    responses((status = 200, description = "In the order of the query", body = Columns)))]
async fn columns(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(name): Path<String>,
) -> Result<Json<Columns>, Refusal> {
    Ok(Json(Columns { items: app.columns(&name).await? }))
}
