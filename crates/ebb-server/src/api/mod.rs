//! The interface for programs: JSON under `/api/v1`, described by an `OpenAPI` document that is made from the
//! same code, and a page to read about it.
//!
//! A handler takes what it needs through the types of [`extract`], asks [`App`], and tells what comes of it.
//! What is refused becomes a problem document at the border.

mod alerts;
mod apply;
mod audit;
mod catalog;
mod connections;
mod document;
mod drafts;
mod effects;
mod entries;
mod extract;
mod failures;
mod mappings;
mod once;
mod paging;
mod payloads;
mod people;
mod previews;
mod progress;
mod reference;
mod sections;
mod shapes;
mod suggestions;
mod syncs;
mod tables;
mod tokens;
mod trials;
mod usage;
mod views;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use ebb_core::{Code, Failure};
use utoipa_axum::router::OpenApiRouter;

use crate::{app::App, refusal::Refusal};

/// Where the interface lies.
const ROOT: &str = "/api/v1";

/// The addresses of the interface. Who asks must be known already.
pub(crate) fn router() -> Router<Arc<App>> {
    let (routes, document) = described().split_for_parts();
    let document = Arc::new(document::finished(document));
    let reference = reference::page(&document);
    let answer = move || async move { Json((*document).clone()) };
    let versioned = routes
        .route("/openapi.json", get(answer))
        .method_not_allowed_fallback(not_so)
        .fallback(nothing);
    Router::new()
        .nest(ROOT, versioned)
        .route("/api/reference", get(move || async move { reference }))
}

/// All operations with their description.
fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(document::beginning())
        .merge(sections::sources::router())
        .merge(sections::models::router())
        .merge(sections::destinations::router())
        .merge(sections::mappings::router())
        .merge(sections::channels::router())
        .merge(sections::alert_rules::router())
        .merge(apply::router())
        .merge(connections::router())
        .merge(drafts::router())
        .merge(payloads::router())
        .merge(trials::router())
        .merge(suggestions::router())
        .merge(tables::router())
        .merge(catalog::router())
        .merge(previews::router())
        .merge(mappings::router())
        .merge(effects::router())
        .merge(syncs::router())
        .merge(failures::router())
        .merge(progress::router())
        .merge(alerts::router())
        .merge(usage::router())
        .merge(people::router())
        .merge(tokens::router())
        .merge(audit::router())
}

async fn nothing(uri: Uri) -> Refusal {
    Failure::new(Code::AddressUnknown, format!("there is nothing at `{ROOT}{}`", uri.path())).into()
}

async fn not_so(method: Method, uri: Uri) -> Response {
    let message = format!("`{method}` is nothing that can be done at `{ROOT}{}`", uri.path());
    let refusal = Refusal::from(Failure::new(Code::AddressUnknown, message));
    (StatusCode::METHOD_NOT_ALLOWED, refusal).into_response()
}
