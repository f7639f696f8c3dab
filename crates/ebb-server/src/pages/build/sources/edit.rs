//! One source: made, shown, changed, removed.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use ebb_core::{Failure, config::Problem};
use ebb_store::Role;
use ebb_warehouse::Form as Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    check::Step,
    form::{SourceForm, document, typed},
    guide::Guide,
};
use crate::{
    access::Actor,
    app::{App, Change, Section},
    pages::{
        Form, Frame,
        build::{
            Hold,
            field::Problems,
            form_again, lead_to, settings, shown_version, taken,
            typed::{Asked, Typed},
            version,
        },
        page,
        tool::monogram,
    },
    refusal::Refusal,
};

/// A kind that may be chosen.
struct Tile {
    kind: &'static str,
    name: &'static str,
    monogram: String,
    available: bool,
    chosen: bool,
}

/// A source that is there.
struct There {
    name: String,
    version: i64,
    /// Models that read it.
    models: Vec<String>,
}

#[derive(Template)]
#[template(path = "build/source.html")]
struct SourcePage {
    frame: Frame,
    /// What was searched among the kinds.
    search: String,
    tiles: Vec<Tile>,
    /// What is shown; `None` until a kind is chosen.
    form: Option<SourceForm>,
    guide: Option<Guide>,
    /// The source, if it is there already.
    there: Option<There>,
    hold: Hold,
    steps: Vec<Step>,
    done: &'static str,
}

/// What a page shows of a source.
pub(super) struct Shown<'s> {
    /// The source's name, if it is there already.
    pub(super) of: Option<&'s str>,
    pub(super) typed: &'s Typed,
    pub(super) problems: Problems,
    pub(super) steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages::build) struct Wanted {
    kind: String,
    q: String,
    done: String,
}

pub(in crate::pages::build) async fn show_new(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let kind = Some(wanted.kind.as_str()).filter(|kind| !kind.is_empty());
    let mut typed = Typed::default();
    typed.set("kind", wanted.kind.as_str());
    let form = match kind.map(ebb_warehouse::form).transpose()? {
        Some(kind) => Some(made(kind, &typed, &BTreeSet::new(), Problems::default())?),
        None => None,
    };
    let (form, guide) = form.unzip();
    page(&SourcePage {
        frame: Frame::new(&app, &actor, "sources"),
        tiles: tiles(&wanted),
        search: wanted.q,
        form,
        guide,
        there: None,
        hold: Hold::Open,
        steps: Vec::new(),
        done: "",
    })
}

fn tiles(wanted: &Wanted) -> Vec<Tile> {
    let search = wanted.q.trim().to_lowercase();
    let fits = |form: &&'static Kind| {
        search.is_empty()
            || [form.name, form.kind, form.description]
                .iter()
                .any(|text| text.to_lowercase().contains(&search))
    };
    let tile = |form: &'static Kind| Tile {
        kind: form.kind,
        name: form.name,
        monogram: monogram(form.name),
        available: form.available,
        chosen: form.kind == wanted.kind,
    };
    ebb_warehouse::forms().filter(fits).map(tile).collect()
}

fn made(
    kind: &'static Kind,
    typed: &Typed,
    stored: &BTreeSet<String>,
    problems: Problems,
) -> Result<(SourceForm, Guide), Failure> {
    Ok((SourceForm::new(kind, typed, stored, problems), Guide::new(kind, typed)?))
}

/// A page of a source that is there, or of one that is being made.
pub(super) fn whole_page(app: &App, actor: &Actor, shown: Shown<'_>) -> Result<Response, Refusal> {
    page(&source_page(app, actor, shown)?)
}

fn source_page(app: &App, actor: &Actor, shown: Shown<'_>) -> Result<SourcePage, Refusal> {
    let Shown { of, typed, problems, steps } = shown;
    let configuration = app.configuration();
    let entry = of.and_then(|name| configuration.made(Section::Sources, name));
    let stored = entry.map(|entry| settings::stored(&entry.document)).unwrap_or_default();
    let kind = ebb_warehouse::form(typed.get("kind"))?;
    let (form, guide) = made(kind, typed, &stored, problems)?;
    let models = configuration.workspace.project.models.iter();
    let there = of.map(|name| There {
        name: name.to_owned(),
        version: shown_version(typed, entry),
        models: models
            .filter(|(_, model)| model.source == name)
            .map(|(model, _)| model.clone())
            .collect(),
    });
    let tiles = match of {
        Some(_) => Vec::new(),
        None => tiles(&Wanted { kind: kind.kind.to_owned(), ..Wanted::default() }),
    };
    Ok(SourcePage {
        frame: Frame::new(app, actor, "sources"),
        search: String::new(),
        tiles,
        form: Some(form),
        guide: Some(guide),
        there,
        hold: of.map_or(Hold::Open, |name| Hold::of(app, actor, Section::Sources, name)),
        steps,
        done: "",
    })
}

pub(in crate::pages::build) async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let name = typed.get("name");
    let problems = match taken(&app, Section::Sources, name) {
        Some(failure) => Problems::at("", failure),
        None => match save(&app, &actor, name, &typed, None).await {
            Ok(_) => return Ok(lead_to(asked, &format!("/sources/{name}?done=created"))),
            Err(problems) => Problems::new(Section::Sources, problems),
        },
    };
    let shown = Shown { of: None, typed: &typed, problems, steps: Vec::new() };
    Ok(form_again(asked, whole_page(&app, &actor, shown)?))
}

async fn save(
    app: &App,
    actor: &Actor,
    name: &str,
    typed: &Typed,
    expected: Option<i64>,
) -> Result<i64, Vec<Problem>> {
    let alone = |failure: Failure| vec![failure.into()];
    let kind = ebb_warehouse::form(typed.get("kind")).map_err(alone)?;
    let document = Some(document(kind, typed));
    let change = Change { section: Section::Sources, name: name.to_owned(), document, expected };
    app.change(&actor.told(), change).await
}

pub(in crate::pages::build) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    app.configuration().find(Section::Sources, &name)?;
    let typed = as_typed(&app, &name);
    let done = match wanted.done.as_str() {
        "created" => "The source is there. Models can read it now.",
        "saved" => "Saved. Syncs that begin from now on use it.",
        _ => "",
    };
    let shown =
        Shown { of: Some(&name), typed: &typed, problems: Problems::default(), steps: Vec::new() };
    page(&SourcePage { done, ..source_page(&app, &actor, shown)? })
}

/// A source as it would be typed. Of one that comes from files, what files refer to is not shown.
fn as_typed(app: &App, name: &str) -> Typed {
    let configuration = app.configuration();
    if let Some(entry) = configuration.made(Section::Sources, name) {
        let mut found = typed(name, &entry.document);
        found.set("kind", entry.document.get("kind").and_then(Value::as_str).unwrap_or_default());
        return found;
    }
    let Some(source) = configuration.workspace.project.sources.get(name) else {
        return Typed::default();
    };
    let redactor = configuration.workspace.redactor();
    let secret = |key: &str| {
        ebb_warehouse::form(&source.kind)
            .is_ok_and(|form| form.setting(key).is_none_or(|setting| setting.kind.is_secret()))
    };
    let open = source.settings.iter().filter(|(key, _)| !secret(key));
    let settings = settings::redacted(open, &redactor);
    let document = json!({
        "settings": settings,
        "schema": source.schema,
        "max_concurrent_syncs": source.max_concurrent_syncs,
        "consent": source.consent,
    });
    let mut found = typed(name, &document);
    found.set("kind", source.kind.as_str());
    found
}

pub(in crate::pages::build) async fn update(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Sources, &name)?;
    typed.set("name", name.as_str());
    let expected = version(&typed)?;
    match save(&app, &actor, &name, &typed, Some(expected)).await {
        Ok(_) => Ok(lead_to(asked, &format!("/sources/{name}?done=saved"))),
        Err(problems) => {
            let problems = Problems::new(Section::Sources, problems);
            let shown = Shown { of: Some(&name), typed: &typed, problems, steps: Vec::new() };
            Ok(form_again(asked, whole_page(&app, &actor, shown)?))
        }
    }
}
