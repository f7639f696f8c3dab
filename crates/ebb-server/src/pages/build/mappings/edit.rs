//! One mapping: made and shown.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use ebb_core::{Code, Column, Failure, port::Wanted};
use ebb_destination::{ActionManifest, Definition};
use ebb_store::Role;
use ebb_workspace::{Freshness, Preview};

use super::{
    ends::Ends,
    form::{MappingForm, Said},
    records::Records,
};
use crate::{
    access::Actor,
    app::{App, Section, shown},
    pages::{
        Form, Frame,
        build::{
            Hold,
            effect::EffectPart,
            field::{Choice, Problems},
            highlight::{self, Piece},
            schedule::Schedule,
            shown_version,
            typed::Typed,
        },
        page,
        tool::monogram,
    },
    refusal::Refusal,
};

/// A mapping that is there.
struct There {
    name: String,
    version: i64,
}

/// The editor with what is around it.
struct Editing {
    form: MappingForm,
    records: Records,
    /// The columns that the form is made with.
    columns: Vec<String>,
    /// Why the model cannot be read now.
    unread: Option<Failure>,
    action: String,
    tool: String,
    monogram: String,
}

#[derive(Template)]
#[template(path = "build/mapping.html")]
pub(super) struct MappingPage {
    frame: Frame,
    ends: Ends,
    models: Vec<Choice>,
    destinations: Vec<Choice>,
    actions: Vec<Choice>,
    editing: Option<Editing>,
    /// What was typed and waits for the editor.
    pub(super) waiting: Typed,
    there: Option<There>,
    hold: Hold,
    /// The mapping as JSON, where it cannot be changed here.
    json: Vec<Piece>,
    /// The same to be changed, where it can.
    document: Option<Document>,
    /// What is to be said before it is saved.
    effect: Option<EffectPart>,
}

/// A mapping as JSON, to the letter.
#[derive(Default)]
pub(super) struct Document {
    pub(super) text: String,
    /// The version that it was made from.
    pub(super) version: i64,
    /// What is wrong with it.
    pub(super) failures: Vec<Failure>,
    /// What is to be said before it is saved.
    pub(super) effect: Option<EffectPart>,
}

/// What a page shows of a mapping.
pub(super) struct Draft<'d> {
    pub(super) of: Option<&'d str>,
    pub(super) ends: Ends,
    pub(super) said: Said,
    pub(super) problems: Problems,
    /// What is wrong with values, by their paths.
    pub(super) wrong: Vec<(String, Failure)>,
    /// What is to be said before it is saved.
    pub(super) effect: Option<EffectPart>,
}

impl<'d> Draft<'d> {
    /// With nothing wrong, and nothing to be said.
    pub(super) fn new(of: Option<&'d str>, ends: Ends, said: Said) -> Self {
        let (problems, wrong) = (Problems::default(), Vec::new());
        Self { of, ends, said, problems, wrong, effect: None }
    }
}

/// The action of a definition; fails with `M304` if there is none of this name.
pub(super) fn action<'d>(
    definition: &'d Definition,
    key: &str,
) -> Result<&'d ActionManifest, Failure> {
    definition.action_exists(key)?;
    definition
        .manifest
        .actions
        .get(key)
        .ok_or_else(|| Failure::new(Code::UnknownAction, format!("there is no action `{key}`")))
}

/// The first records of a model, which tell its columns.
pub(super) async fn sample(app: &App, model: &str) -> Result<Preview, Failure> {
    app.preview_model(model, Wanted::First, Freshness::Kept).await
}

/// The names of the columns that are known.
pub(super) fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// A page without the editor.
pub(super) fn bare(app: &App, actor: &Actor, ends: Ends) -> MappingPage {
    let configuration = app.configuration();
    let project = &configuration.workspace.project;
    let choose = |names: &mut dyn Iterator<Item = &String>, chosen: &str| -> Vec<Choice> {
        let none = chosen.is_empty().then(|| Choice::new("", "Choose one", chosen));
        none.into_iter().chain(names.map(|name| Choice::new(name, name, chosen))).collect()
    };
    let definition = ends.definition(&configuration.workspace).ok();
    let actions = definition.iter().flat_map(|definition| definition.manifest.actions.iter());
    let none = ends.action.is_empty().then(|| Choice::new("", "Choose one", ""));
    let actions = none
        .into_iter()
        .chain(actions.map(|(key, action)| Choice::new(key, &action.label, &ends.action)))
        .collect();
    MappingPage {
        frame: Frame::new(app, actor, "mappings"),
        models: choose(&mut project.models.keys(), &ends.model),
        destinations: choose(&mut project.destinations.keys(), &ends.destination),
        actions,
        ends,
        editing: None,
        waiting: Typed::default(),
        there: None,
        hold: Hold::Open,
        json: Vec::new(),
        document: None,
        effect: None,
    }
}

pub(super) async fn editor(
    app: &App,
    actor: &Actor,
    draft: Draft<'_>,
) -> Result<MappingPage, Failure> {
    let Draft { of, ends, said, problems, wrong, effect } = draft;
    let configuration = app.configuration();
    let definition = ends.definition(&configuration.workspace)?;
    let action = action(&definition, &ends.action)?;
    let (preview, unread) = match sample(app, &ends.model).await {
        Ok(preview) => (Some(preview), None),
        Err(failure) => (None, Some(failure)),
    };
    let columns = preview.as_ref().map(|preview| preview.records.columns()).unwrap_or_default();
    let named: Vec<String> = said.typed.all("column").map(str::to_owned).collect();
    let named = if unread.is_none() { names(columns) } else { named };
    let project = &configuration.workspace.project;
    let others = project.mappings.keys();
    let others: Vec<String> = others.filter(|name| Some(name.as_str()) != of).cloned().collect();
    let of_model = project.models.get(&ends.model).and_then(|model| model.schedule.as_ref());
    let schedule = Schedule::of_mapping(&said.typed, of_model, &others);
    let [chosen, search] = ["record", "search"].map(|key| said.typed.get(key).trim());
    let records = match &preview {
        // It reads the whole model, so only where it was asked for.
        Some(_) if said.typed.get("do") == "search" && !search.is_empty() => {
            Records::found(app, &ends.model, search, chosen).await
        }
        Some(preview) => Records::first(preview, chosen),
        None => Records::default(),
    };
    let editing = Editing {
        form: MappingForm::new(&said, action, columns, schedule, problems, &wrong),
        records,
        unread,
        columns: named,
        action: action.label.clone(),
        tool: definition.manifest.name.clone(),
        monogram: monogram(&definition.manifest.name),
    };
    let there = of.map(|name| There {
        name: name.to_owned(),
        version: shown_version(&said.typed, configuration.made(Section::Mappings, name)),
    });
    Ok(MappingPage { editing: Some(editing), there, effect, ..bare(app, actor, ends) })
}

pub(in crate::pages::build) async fn edit(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    app.configuration().find(Section::Mappings, &name)?;
    page(&kept(&app, &actor, &name, None).await?)
}

/// The page of a mapping as it is kept; `document` is JSON that was typed for it and is not right.
pub(super) async fn kept(
    app: &App,
    actor: &Actor,
    name: &str,
    document: Option<Document>,
) -> Result<MappingPage, Failure> {
    let configuration = app.configuration();
    let workspace = &configuration.workspace;
    let mapping = workspace.mapping(name)?;
    let ends = Ends {
        model: mapping.model.clone(),
        destination: mapping.destination.clone(),
        action: mapping.action.clone(),
    };
    let hold = Hold::of(app, actor, Section::Mappings, name);
    let entry = configuration.made(Section::Mappings, name).filter(|_| hold == Hold::Open);
    let Some(entry) = entry else {
        // What a file's text refers to may be a secret.
        let json = serde_json::to_string(mapping).unwrap_or_default();
        let json = highlight::document(&workspace.redactor().redact(&json));
        let there = Some(There { name: name.to_owned(), version: 0 });
        return Ok(MappingPage { there, hold, json, ..bare(app, actor, ends) });
    };
    let definition = ends.definition(workspace)?;
    let columns = match sample(app, &ends.model).await {
        Ok(preview) => names(preview.records.columns()),
        Err(_) => Vec::new(),
    };
    let said = shown(&entry.document);
    let text = serde_json::to_string_pretty(&said).unwrap_or_default();
    let document =
        document.unwrap_or(Document { text, version: entry.version, ..Document::default() });
    let said = Said::of(action(&definition, &ends.action)?, name, &said, &columns);
    let draft = Draft::new(Some(name), ends, said);
    Ok(MappingPage { document: Some(document), ..editor(app, actor, draft).await? })
}

/// The editor after one of its buttons, or another kind of a value. Nothing is kept.
pub(in crate::pages::build) async fn rearrange(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let ends = Ends::typed(&typed);
    let of = Some(typed.get("of").to_owned()).filter(|name| !name.is_empty());
    let definition = ends.definition(&app.configuration().workspace)?;
    let action = action(&definition, &ends.action)?;
    let mut said = Said::typed(action, typed);
    let preview = sample(&app, &ends.model).await.ok();
    let columns = preview.as_ref().map(|preview| preview.records.columns()).unwrap_or_default();
    said.rearrange(action, columns);
    page(&editor(&app, &actor, Draft::new(of.as_deref(), ends, said)).await?)
}
