//! How many records destinations got.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::usage::Report;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::shapes;
use crate::{access::Actor, app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(report))
}

/// Read how many records destinations got in this month and in the twelve before it
#[utoipa::path(get, path = "/usage", tag = "usage",
    responses((status = 200, description = "This month first", body = shapes::UsageReport)))]
async fn report(State(app): State<Arc<App>>, _: Actor) -> Result<Json<Report>, Refusal> {
    Ok(Json(app.usage().await?))
}
