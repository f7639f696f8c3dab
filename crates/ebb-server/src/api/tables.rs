//! What there is to read in a source.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::port::Table;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Path, Query},
    previews::Wanted,
    shapes,
};
use crate::{access::Actor, app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The tables of a source.
#[derive(Debug, Serialize, ToSchema)]
struct TablesView {
    /// By schema and name.
    #[schema(value_type = Vec<shapes::Table>)]
    items: Vec<Table>,
    /// Whether there are more: 2,000 tables and 50,000 columns are told at most.
    cut: bool,
    /// When the source told them.
    read_at: Timestamp,
}

/// List the tables and views that a source's user may read, with their columns
///
/// Ebb's own tables and the warehouse's are left out. What was told is kept for ten minutes.
#[utoipa::path(get, path = "/sources/{name}/tables", tag = "sources",
    params(("name" = String, Path), Wanted),
    responses((status = 200, description = "What models may read", body = TablesView)))]
async fn list(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<TablesView>, Refusal> {
    let told = app.tables(&name, wanted.freshness()).await?;
    let (tables, read_at) = (&told.tables, told.read_at);
    Ok(Json(TablesView { items: tables.tables.clone(), cut: tables.cut, read_at }))
}
