//! The pages on which people build: sources, models, destinations, mappings.

mod channels;
mod destinations;
mod effect;
pub(crate) mod field;
pub(crate) mod highlight;
mod mappings;
mod models;
mod rules;
mod schedule;
mod settings;
mod sources;
mod typed;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ebb_core::{Code, Failure};
use ebb_store::{Entry, Role};
use ebb_workspace::Workspace;

use crate::{
    access::Actor,
    app::{App, Change, Section},
    pages::Form,
    refusal::Refusal,
};
pub(super) use typed::Asked;

/// The addresses of these pages.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/sources", get(sources::list))
        .route("/sources/new", get(sources::show_new).post(sources::create))
        .route("/build/test-source", post(sources::test))
        .route("/build/setup", post(sources::setup))
        .route("/sources/{name}", get(sources::show).post(sources::update))
        .route("/models", get(models::list))
        .route("/models/new", get(models::show_new).post(models::create))
        .route("/build/preview", post(models::preview))
        .route("/models/{name}", get(models::show).post(models::update))
        .route("/destinations", get(destinations::list))
        .route("/destinations/new/{kind}", get(destinations::show_new).post(destinations::create))
        .route("/build/test-destination", post(destinations::test))
        .route("/destinations/{name}", get(destinations::show).post(destinations::update))
        .route("/destinations/{name}/switch", post(destinations::switch))
        .route("/alerts/channels/new/{kind}", get(channels::show_new).post(channels::create))
        .route("/build/test-channel", post(channels::test))
        .route("/alerts/channels/{name}", get(channels::show).post(channels::update))
        .route("/alerts/rules/new", get(rules::show_new).post(rules::create))
        .route("/alerts/rules/{name}", get(rules::show).post(rules::update))
        .route("/mappings", get(mappings::list))
        .route("/mappings/new", get(mappings::show_new).post(mappings::create))
        .route("/build/ends", post(mappings::rejoin))
        .route("/build/editor", post(mappings::rearrange))
        .route("/build/mapping-effect", post(mappings::counts))
        .route("/build/model-effect", post(models::counts))
        .route("/build/render", post(mappings::render))
        .route("/build/send", post(mappings::send))
        .route("/mappings/{name}/edit", get(mappings::edit).post(mappings::update))
        .route("/mappings/{name}/document", post(mappings::replace))
        .route("/{section}/{name}/delete", post(delete))
}

/// Removes something, if nothing needs it.
async fn delete(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path((section, name)): Path<(Section, String)>,
    Form(typed): Form<typed::Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let expected = Some(version(&typed)?);
    app.change(&actor.told(), Change { section, name, document: None, expected }).await?;
    Ok(lead_to(asked, list_of(section)))
}

/// The page that lists what a section holds.
const fn list_of(section: Section) -> &'static str {
    match section {
        Section::Sources => "/sources",
        Section::Models => "/models",
        Section::Destinations => "/destinations",
        Section::Mappings => "/mappings",
        Section::Channels | Section::AlertRules => "/alerts?done=deleted",
    }
}

/// Leads to another page: a browser by itself, htmx by its own header.
fn lead_to(asked: Asked, path: &str) -> Response {
    match asked {
        Asked::Whole => Redirect::to(path).into_response(),
        Asked::Part => {
            let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::NO_CONTENT, [(HeaderName::from_static("hx-redirect"), path)])
                .into_response()
        }
    }
}

/// A page whose form is shown again because something is wrong with it. htmx takes the form alone, and
/// nothing from an answer that is an error.
fn form_again(asked: Asked, mut page: Response) -> Response {
    match asked {
        Asked::Whole => *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY,
        Asked::Part => {
            let headers = page.headers_mut();
            for (name, value) in
                [("hx-retarget", "#form"), ("hx-reselect", "#form"), ("hx-reswap", "outerHTML")]
            {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
        }
    }
    page
}

/// What a page may do with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// It is changed in the project's files.
    Files,
    /// The person may only look.
    Viewer,
    /// It may be changed here.
    Open,
}

impl Hold {
    fn of(app: &App, actor: &Actor, section: Section, name: &str) -> Self {
        if app.configuration().in_files(section, name) {
            Self::Files
        } else if actor.may(Role::Editor) {
            Self::Open
        } else {
            Self::Viewer
        }
    }
}

/// Who uses something, as a sentence names them: `3 models`.
fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The mappings that use a model or a destination.
fn mappings_of(
    workspace: &Workspace,
    of: impl Fn(&ebb_core::config::Mapping) -> bool,
) -> Vec<String> {
    let mappings = workspace.project.mappings.iter();
    mappings.filter(|(_, mapping)| of(mapping)).map(|(name, _)| name.clone()).collect()
}

/// How many mappings use each model, or each destination, as `of` says.
fn mapping_counts(
    workspace: &Workspace,
    of: impl Fn(&ebb_core::config::Mapping) -> &str,
) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for mapping in workspace.project.mappings.values() {
        *counts.entry(of(mapping)).or_default() += 1;
    }
    counts
}

/// Why a new entry cannot have this name.
fn taken(app: &App, section: Section, name: &str) -> Option<Failure> {
    let noun = section.noun();
    if name.is_empty() {
        let failure = Failure::new(Code::ConfigValue, format!("the {noun} needs a name"));
        return Some(failure.help("Give it one"));
    }
    app.configuration().find(section, name).ok()?;
    let failure =
        Failure::new(Code::ConfigDuplicate, format!("there is a {noun} `{name}` already"));
    Some(failure.help("Give this one another name"))
}

/// The version that a form is shown with: the one that it was made from, as long as it is not kept. So what
/// was refused because of somebody else's change is refused again, and nothing of theirs is lost.
fn shown_version(typed: &typed::Typed, entry: Option<&Entry>) -> i64 {
    version(typed).ok().or_else(|| entry.map(|entry| entry.version)).unwrap_or_default()
}

/// The version that a form was made from; `A610` if it says none.
fn version(typed: &typed::Typed) -> Result<i64, Failure> {
    let missing =
        |_| Failure::new(Code::RequestInvalid, "the form does not say which version it changes");
    typed.get("version").parse().map_err(missing)
}
