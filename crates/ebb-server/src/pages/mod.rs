//! The pages.

mod alerts;
pub(crate) mod build;
mod changes;
mod chart;
mod door;
mod form;
mod frame;
mod help;
mod journey;
mod list;
mod mapping;
mod oidc;
mod overview;
mod schedule;
mod settings;
mod spark;
mod sync;
mod syncs;
mod tool;
mod usage;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ebb_core::{Code, Failure, config::Problem};

use crate::{access::Actor, app::App, refusal::Refusal};
use form::Form;
use frame::Frame;
use tool::tool;

/// The addresses of pages.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::show))
        .route("/sign-in", get(door::show_sign_in).post(door::sign_in))
        .route("/sign-in/oidc", get(oidc::begin))
        .route("/sign-in/oidc/return", get(oidc::end))
        .route("/sign-out", post(door::sign_out))
        .route("/join/{token}", get(door::show_join).post(door::join))
        .route("/theme", post(door::switch_theme))
        .route("/help/{code}", get(help::show))
        .route("/syncs", get(syncs::show))
        .route("/syncs/{id}", get(sync::show))
        .route("/syncs/{id}/cancel", post(sync::cancel))
        .route("/syncs/{id}/replay", post(sync::replay))
        .route("/alerts", get(alerts::show))
        .route("/mappings/{name}", get(mapping::show).post(mapping::act))
        .route("/mappings/{name}/plan", get(mapping::plan))
        .route("/mappings/{name}/tracked", get(mapping::tracked))
        .route("/usage", get(usage::show))
        .route("/mappings/{name}/journey", get(journey::show))
        .route("/settings", get(settings::show))
        .route("/settings/changes", get(changes::show))
        .route("/settings/people", post(settings::invite))
        .route("/settings/people/{id}", post(settings::change))
        .route("/settings/people/{id}/invite", post(settings::invite_again))
        .route("/settings/people/{id}/remove", post(settings::remove))
        .route("/settings/tokens", post(settings::add_token))
        .route("/settings/tokens/{id}/revoke", post(settings::revoke))
        .merge(build::router())
        .fallback(nothing)
}

async fn nothing(uri: Uri) -> Refusal {
    let message = format!("there is nothing at `{}`", uri.path());
    Failure::new(Code::AddressUnknown, message).into()
}

/// A page as an answer.
fn page(template: &impl Template) -> Result<Response, Refusal> {
    let html = template.render().map_err(|error| {
        Failure::new(Code::StateUnavailable, "the page could not be made").caused_by(error)
    })?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Html(html))
        .into_response())
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    title: &'static str,
    problems: Vec<Problem>,
}

/// Tells refusals in pages; who is not signed in is sent to do so first.
pub(crate) async fn in_words(
    State(app): State<Arc<App>>,
    actor: Option<Actor>,
    uri: Uri,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let (status, headers) = refusal.head();
    let Some(actor) = actor else {
        if status == StatusCode::UNAUTHORIZED {
            return Redirect::to(&door::sign_in_address(&uri)).into_response();
        }
        return door::refused(&refusal);
    };
    let frame = Frame::new(&app, &actor, "");
    let title = refusal.failure().code.title();
    let shown = ErrorPage { frame, title, problems: refusal.0 };
    (status, headers, page(&shown)).into_response()
}
