//! The pages.

mod alerts;
pub(crate) mod build;
mod changes;
mod chart;
mod clock;
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
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ebb_core::{Code, Failure, config::Problem};

use crate::{access::Actor, app::App, refusal::Refusal};
use build::Asked;
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
        .method_not_allowed_fallback(not_so)
        .fallback(nothing)
}

async fn nothing(uri: Uri) -> Refusal {
    let message = format!("there is nothing at `{}`", uri.path());
    Failure::new(Code::AddressUnknown, message).into()
}

async fn not_so(method: Method, uri: Uri) -> Response {
    let message = format!("{method} does nothing at `{}`", uri.path());
    let mut told = Refusal::from(Failure::new(Code::AddressUnknown, message)).into_response();
    *told.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    told
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

/// Tells refusals in pages; who is not signed in is sent to do so first. htmx would take the page to sign in
/// for the part that it asked for, so it is told that nobody is signed in.
pub(crate) async fn in_words(
    State(app): State<Arc<App>>,
    actor: Option<Actor>,
    asked: Asked,
    request: Request,
    next: Next,
) -> Response {
    let back = way_back(&request);
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let status = response.status();
    let Some(actor) = actor else {
        if status == StatusCode::UNAUTHORIZED && asked == Asked::Whole {
            return Redirect::to(&door::sign_in_address(&back)).into_response();
        }
        return told(door::refused(&refusal), response);
    };
    let frame = Frame::new(&app, &actor, "");
    let title = refusal.failure().code.title();
    let shown = ErrorPage { frame, title, problems: refusal.0 };
    match page(&shown) {
        Ok(page) => told(page, response),
        Err(_) => status.into_response(),
    }
}

/// A page in the place of a refusal, with its status, and with what could have been asked instead, or when.
fn told(mut page: Response, mut refused: Response) -> Response {
    *page.status_mut() = refused.status();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = refused.headers_mut().remove(&name) {
            page.headers_mut().insert(name, value);
        }
    }
    page
}

/// Where somebody is led who signs in first: to what they asked for; to the page that a form was on, since
/// nothing can be shown at the address of most forms.
fn way_back(request: &Request) -> Uri {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return request.uri().clone();
    }
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let page = header(header::REFERER).and_then(|page| page.parse::<Uri>().ok());
    let own = |page: &Uri| {
        let host = header(header::HOST);
        page.authority().is_some_and(|of| Some(of.as_str()) == host)
    };
    page.filter(own).unwrap_or_default()
}
