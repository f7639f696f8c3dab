//! One model: made, looked at, changed, removed.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use ebb_core::{
    Code, Failure,
    config::Problem,
    port::{self, ModelQuery},
};
use ebb_store::Role;
use ebb_workspace::Freshness;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    form::{ModelForm, Origin, columns, document, query, typed},
    sample::{Head, Sample},
};
use crate::{
    access::Actor,
    app::{App, Change, Section},
    pages::{
        Form, Frame,
        build::{
            Hold,
            effect::{self, Edited, EffectPart},
            field::Problems,
            form_again, lead_to, mappings_of, shown_version, taken,
            typed::{Asked, Typed},
            version,
        },
        page,
        schedule::words,
    },
    refusal::Refusal,
};

/// A model that is there.
struct There {
    name: String,
    version: i64,
    mappings: Vec<String>,
    /// The query that is read, where the form does not hold it.
    query: String,
    /// When its mappings sync that do not say it, in words.
    schedule: Option<String>,
}

#[derive(Template)]
#[template(path = "build/model.html")]
struct ModelPage {
    frame: Frame,
    form: ModelForm,
    sources: Vec<String>,
    heads: Vec<Head>,
    sample: Option<Sample>,
    /// Why there is no sample.
    unread: Option<Failure>,
    there: Option<There>,
    hold: Hold,
    done: &'static str,
    /// What is to be said before it is saved.
    effect: Option<EffectPart>,
}

#[derive(Template)]
#[template(path = "build/model_preview.html")]
struct PreviewPart {
    frame: Frame,
    form: ModelForm,
    heads: Vec<Head>,
    sample: Option<Sample>,
    unread: Option<Failure>,
    hold: Hold,
    /// Whether the fields are sent along, which are elsewhere in the page.
    beside: bool,
}

/// What a page shows of a model.
struct Shown<'s> {
    /// The model's name, if it is there already.
    of: Option<&'s str>,
    typed: &'s Typed,
    problems: Problems,
    sample: Option<Result<Sample, Failure>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages::build) struct Wanted {
    source: String,
    done: String,
}

fn model_page(app: &App, actor: &Actor, shown: Shown<'_>) -> ModelPage {
    let Shown { of, typed, problems, sample } = shown;
    let configuration = app.configuration();
    let project = &configuration.workspace.project;
    let there = of.map(|name| There {
        name: name.to_owned(),
        version: shown_version(typed, configuration.made(Section::Models, name)),
        mappings: mappings_of(&configuration.workspace, |mapping| mapping.model == name),
        query: project.models.get(name).map(|model| model.query.clone()).unwrap_or_default(),
        schedule: project.models.get(name).and_then(|model| Some(words(model.schedule.as_ref()?))),
    });
    let mappings: Vec<String> = project.mappings.keys().cloned().collect();
    let (sample, unread) = apart(sample);
    ModelPage {
        frame: Frame::new(app, actor, "models"),
        form: ModelForm::new(typed, &mappings, problems),
        sources: project.sources.keys().cloned().collect(),
        heads: heads(sample.as_ref(), typed),
        sample,
        unread,
        there,
        hold: of.map_or(Hold::Open, |name| Hold::of(app, actor, Section::Models, name)),
        done: "",
        effect: None,
    }
}

fn apart(sample: Option<Result<Sample, Failure>>) -> (Option<Sample>, Option<Failure>) {
    match sample {
        Some(Ok(sample)) => (Some(sample), None),
        Some(Err(failure)) => (None, Some(failure)),
        None => (None, None),
    }
}

/// The columns that there are to choose from.
fn heads(sample: Option<&Sample>, typed: &Typed) -> Vec<Head> {
    sample.map_or_else(|| columns(typed), |sample| sample.heads.clone())
}

pub(in crate::pages::build) async fn show_new(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let configuration = app.configuration();
    let sources = &configuration.workspace.project.sources;
    let mut typed = Typed::default();
    let only = sources.keys().next().filter(|_| sources.len() == 1);
    typed.set("source", only.map_or(wanted.source.as_str(), String::as_str));
    let shown = Shown { of: None, typed: &typed, problems: Problems::default(), sample: None };
    page(&model_page(&app, &actor, shown))
}

pub(in crate::pages::build) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    configuration.find(Section::Models, &name)?;
    let model = configuration.workspace.model(&name)?;
    let typed = if let Some(entry) = configuration.made(Section::Models, &name) {
        typed(&name, &entry.document)
    } else {
        // What a file's text refers to may be a secret.
        let query = configuration.workspace.redactor().redact(&model.query);
        let mut found = Typed::default();
        found.set("name", name.as_str());
        found.set("source", model.source.as_str());
        found.set("query", query);
        found.set("id", model.id.as_str());
        found.set("timestamp", model.timestamp.as_deref().unwrap_or_default());
        found
    };
    let done = match wanted.done.as_str() {
        "created" => "The model is there. A mapping can send its records now.",
        "saved" => "Saved. Syncs that begin from now on read it so.",
        _ => "",
    };
    let shown =
        Shown { of: Some(&name), typed: &typed, problems: Problems::default(), sample: None };
    page(&ModelPage { done, ..model_page(&app, &actor, shown) })
}

/// The first records of what was typed, or of a model that comes from files as it is.
pub(in crate::pages::build) async fn preview(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let of = Some(typed.get("of").to_owned()).filter(|name| !name.is_empty());
    let hold =
        of.as_deref().map_or(Hold::Open, |name| Hold::of(&app, &actor, Section::Models, name));
    let fresh = typed.get("refresh") == "now";
    let fresh = if fresh { Freshness::ReadNow } else { Freshness::Kept };
    let sample = if hold == Hold::Open {
        typed_sample(&app, &typed, of.as_deref(), fresh).await
    } else {
        let name = of.as_deref().unwrap_or_default();
        let configuration = app.configuration();
        configuration.find(Section::Models, name)?;
        let model = configuration.workspace.model(name)?;
        typed.set("id", model.id.as_str());
        typed.set("timestamp", model.timestamp.as_deref().unwrap_or_default());
        let query = ModelQuery { id: String::new(), timestamp: None, ..model.query() };
        read(&app, &model.source, &query, &model.id, fresh).await
    };
    if asked == Asked::Whole {
        let shown = Shown {
            of: of.as_deref(),
            typed: &typed,
            problems: Problems::default(),
            sample: Some(sample),
        };
        return page(&model_page(&app, &actor, shown));
    }
    let (sample, unread) = apart(Some(sample));
    page(&PreviewPart {
        frame: Frame::new(&app, &actor, "models"),
        form: ModelForm::new(&typed, &[], Problems::default()),
        heads: heads(sample.as_ref(), &typed),
        sample,
        unread,
        hold,
        beside: true,
    })
}

async fn typed_sample(
    app: &App,
    typed: &Typed,
    of: Option<&str>,
    fresh: Freshness,
) -> Result<Sample, Failure> {
    let source = typed.get("source");
    if source.is_empty() {
        return Err(Failure::new(Code::ConfigValue, "no source is chosen").help("Choose a source"));
    }
    let kept = || {
        let configuration = app.configuration();
        let query = configuration.workspace.model(of.unwrap_or_default()).ok()?.query();
        Some(ModelQuery { id: String::new(), timestamp: None, ..query })
    };
    let query = query(typed).or_else(kept).unwrap_or_default();
    if query.sql.trim().is_empty() {
        let help = "Write a SELECT, or name a table";
        return Err(Failure::new(Code::ConfigValue, "there is nothing to read yet").help(help));
    }
    read(app, source, &query, typed.get("id"), fresh).await
}

async fn read(
    app: &App,
    source: &str,
    query: &ModelQuery,
    id: &str,
    fresh: Freshness,
) -> Result<Sample, Failure> {
    let configuration = app.configuration();
    let preview = configuration
        .workspace
        .preview(&app.store, source, query, port::Wanted::First, fresh)
        .await?;
    Ok(Sample::new(&preview, id))
}

pub(in crate::pages::build) async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let name = typed.get("name");
    let problems = match taken(&app, Section::Models, name) {
        Some(failure) => Problems::at("", failure),
        None => match save(&app, &actor, name, document(&typed, None), None).await {
            Ok(()) => return Ok(lead_to(asked, &format!("/models/{name}?done=created"))),
            Err(problems) => Problems::new(Section::Models, problems),
        },
    };
    let shown = Shown { of: None, typed: &typed, problems, sample: None };
    Ok(form_again(asked, page(&model_page(&app, &actor, shown))?))
}

async fn save(
    app: &App,
    actor: &Actor,
    name: &str,
    document: Map<String, Value>,
    expected: Option<i64>,
) -> Result<(), Vec<Problem>> {
    let (section, document) = (Section::Models, Some(document));
    let change = Change { section, name: name.to_owned(), document, expected };
    app.change(&actor.told(), change).await.map(drop)
}

/// What was typed of a model that is there.
fn changed(app: &App, name: &str, typed: &Typed) -> Map<String, Value> {
    let configuration = app.configuration();
    let before = configuration.made(Section::Models, name).map(|entry| &entry.document);
    document(typed, before)
}

fn edited<'e>(name: &'e str, document: &'e Map<String, Value>) -> Edited<'e> {
    Edited { section: Section::Models, name, document, counts_at: "/build/model-effect" }
}

pub(in crate::pages::build) async fn update(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Models, &name)?;
    typed.set("name", name.as_str());
    let expected = version(&typed)?;
    let problems = match keep(&app, &actor, asked, &name, &typed, expected).await {
        Ok(None) => return Ok(lead_to(asked, &format!("/models/{name}?done=saved"))),
        Ok(effect) => {
            let problems = Problems::default();
            let shown = Shown { of: Some(&name), typed: &typed, problems, sample: None };
            return page(&ModelPage { effect, ..model_page(&app, &actor, shown) });
        }
        Err(problems) => Problems::new(Section::Models, problems),
    };
    let shown = Shown { of: Some(&name), typed: &typed, problems, sample: None };
    Ok(form_again(asked, page(&model_page(&app, &actor, shown))?))
}

/// Keeps a model as it was typed, unless there is something to be said before.
async fn keep(
    app: &App,
    actor: &Actor,
    asked: Asked,
    name: &str,
    typed: &Typed,
    expected: i64,
) -> Result<Option<EffectPart>, Vec<Problem>> {
    let document = changed(app, name, typed);
    let question = effect::question(app, actor, asked, typed, edited(name, &document)).await?;
    if question.is_some() {
        return Ok(question);
    }
    save(app, actor, name, document, Some(expected)).await?;
    let configuration = app.configuration();
    let mappings = mappings_of(&configuration.workspace, |mapping| mapping.model == name);
    let then = effect::follow_up(app, actor, typed, mappings).await;
    then.map_err(|failure| vec![failure.into()])?;
    Ok(None)
}

/// How many records an edit touches that is not made yet.
pub(in crate::pages::build) async fn counts(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let name = typed.get("of").to_owned();
    app.configuration().find(Section::Models, &name)?;
    typed.set("name", name.as_str());
    let document = changed(&app, &name, &typed);
    let counted = effect::numbers(&app, &actor, edited(&name, &document)).await;
    page(&counted.unwrap_or_else(|problems| effect::unknown(&app, &actor, problems)))
}
