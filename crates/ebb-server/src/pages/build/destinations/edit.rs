//! One destination: made, shown, changed, switched, removed.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use ebb_core::{Failure, config, config::Problem};
use ebb_store::Role;
use serde::Deserialize;
use serde_json::json;

use super::{
    form::{DestinationForm, document, typed},
    probe::Tested,
};
use crate::{
    access::Actor,
    app::{App, Change, Section},
    pages::{
        Form, Frame,
        build::{
            Hold,
            field::Problems,
            form_again, lead_to, mappings_of, settings, shown_version, taken,
            typed::{Asked, Typed},
            version,
        },
        page,
        tool::monogram,
    },
    refusal::Refusal,
};

/// A destination that is there.
struct There {
    name: String,
    version: i64,
    enabled: bool,
    mappings: Vec<String>,
}

#[derive(Template)]
#[template(path = "build/destination.html")]
pub(super) struct DestinationPage {
    frame: Frame,
    form: DestinationForm,
    monogram: String,
    tested: Option<Tested>,
    there: Option<There>,
    hold: Hold,
    done: &'static str,
}

/// What a page shows of a destination.
pub(super) struct Shown<'s> {
    /// The destination's name, if it is there already.
    pub(super) of: Option<&'s str>,
    pub(super) typed: &'s Typed,
    pub(super) problems: Problems,
    pub(super) tested: Option<Tested>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages::build) struct Wanted {
    done: String,
}

pub(super) fn destination_page(
    app: &App,
    actor: &Actor,
    shown: Shown<'_>,
) -> Result<DestinationPage, Failure> {
    let Shown { of, typed, problems, tested } = shown;
    let configuration = app.configuration();
    let workspace = &configuration.workspace;
    let entry = of.and_then(|name| configuration.made(Section::Destinations, name));
    let stored = entry.map(|entry| settings::stored(&entry.document)).unwrap_or_default();
    let definition = workspace.catalog.find(typed.get("kind"))?;
    let there = of.map(|name| There {
        name: name.to_owned(),
        version: shown_version(typed, entry),
        enabled: workspace.project.destinations.get(name).is_some_and(|it| it.enabled),
        mappings: mappings_of(workspace, |mapping| mapping.destination == name),
    });
    Ok(DestinationPage {
        frame: Frame::new(app, actor, "destinations"),
        monogram: monogram(&definition.manifest.name),
        form: DestinationForm::new(definition, typed, &stored, &workspace.project, problems),
        tested,
        there,
        hold: of.map_or(Hold::Open, |name| Hold::of(app, actor, Section::Destinations, name)),
        done: "",
    })
}

pub(in crate::pages::build) async fn show_new(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(kind): Path<String>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let mut typed = Typed::default();
    typed.set("name", free_name(&app, &kind));
    typed.set("kind", kind);
    let shown = Shown { of: None, typed: &typed, problems: Problems::default(), tested: None };
    page(&destination_page(&app, &actor, shown)?)
}

/// The kind's own name, while nothing has it.
fn free_name(app: &App, kind: &str) -> String {
    let free = app.configuration().find(Section::Destinations, kind).is_err();
    if free { kind.to_owned() } else { String::new() }
}

pub(in crate::pages::build) async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(kind): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    typed.set("kind", kind);
    let name = typed.get("name");
    let problems = match taken(&app, Section::Destinations, name) {
        Some(failure) => Problems::at("", failure),
        None => match save(&app, &actor, name, &typed, None).await {
            Ok(_) => return Ok(lead_to(asked, &format!("/destinations/{name}?done=created"))),
            Err(problems) => Problems::new(Section::Destinations, problems),
        },
    };
    let shown = Shown { of: None, typed: &typed, problems, tested: None };
    Ok(form_again(asked, page(&destination_page(&app, &actor, shown)?)?))
}

async fn save(
    app: &App,
    actor: &Actor,
    name: &str,
    typed: &Typed,
    expected: Option<i64>,
) -> Result<i64, Vec<Problem>> {
    let alone = |failure: Failure| vec![failure.into()];
    let configuration = app.configuration();
    let definition = configuration.workspace.catalog.find(typed.get("kind")).map_err(alone)?;
    let before = configuration.made(Section::Destinations, name).map(|entry| &entry.document);
    let document = Some(document(&definition, typed, before));
    let name = name.to_owned();
    let change = Change { section: Section::Destinations, name, document, expected };
    app.change(&actor.told(), change).await
}

pub(in crate::pages::build) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    app.configuration().find(Section::Destinations, &name)?;
    let typed = as_typed(&app, &name);
    let done = match wanted.done.as_str() {
        "created" => "The destination is there, and on. A mapping can send records to it now.",
        "saved" => "Saved. Syncs that begin from now on use it.",
        "on" => "Switched on. Its mappings sync again when they are due.",
        "off" => "Switched off. Nothing is sent to it until it is on again.",
        _ => "",
    };
    let shown =
        Shown { of: Some(&name), typed: &typed, problems: Problems::default(), tested: None };
    page(&DestinationPage { done, ..destination_page(&app, &actor, shown)? })
}

/// A destination as it would be typed. Of one that comes from files, what files refer to is not shown.
fn as_typed(app: &App, name: &str) -> Typed {
    let configuration = app.configuration();
    if let Some(entry) = configuration.made(Section::Destinations, name) {
        return typed(name, &entry.document);
    }
    let workspace = &configuration.workspace;
    let Some(destination) = workspace.project.destinations.get(name) else {
        return Typed::default();
    };
    let definition = workspace.catalog.find(&destination.kind).ok();
    let open = |key: &str| {
        let secrets = definition.as_ref().map(|definition| definition.secret_settings());
        secrets.is_some_and(|mut secrets| secrets.all(|secret| secret != key))
    };
    let redactor = workspace.redactor();
    let open = destination.settings.iter().filter(|(key, _)| open(key));
    let settings = settings::redacted(open, &redactor);
    let config::Destination { kind, consent, .. } = destination;
    typed(name, &json!({ "kind": kind, "settings": settings, "consent": consent }))
}

pub(in crate::pages::build) async fn update(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Destinations, &name)?;
    typed.set("name", name.as_str());
    let expected = version(&typed)?;
    match save(&app, &actor, &name, &typed, Some(expected)).await {
        Ok(_) => Ok(lead_to(asked, &format!("/destinations/{name}?done=saved"))),
        Err(problems) => {
            let problems = Problems::new(Section::Destinations, problems);
            let shown = Shown { of: Some(&name), typed: &typed, problems, tested: None };
            Ok(form_again(asked, page(&destination_page(&app, &actor, shown)?)?))
        }
    }
}

/// Turns a destination on or off; everything else stays as it is.
pub(in crate::pages::build) async fn switch(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let on = typed.get("to") == "on";
    let expected = Some(version(&typed)?);
    app.switch(&actor, (Section::Destinations, &name), on, expected).await?;
    let to = format!("/destinations/{name}?done={}", if on { "on" } else { "off" });
    Ok(lead_to(asked, &to))
}
