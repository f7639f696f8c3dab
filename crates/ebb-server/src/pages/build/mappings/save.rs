//! A mapping that is kept: as its form has it, or as JSON, after what is to be said of it was said.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use ebb_core::{Code, Failure, config::Problem};
use ebb_store::Role;
use serde_json::{Map, Value};

use super::{
    edit::{Document, Draft, action, editor, kept},
    ends::Ends,
    form::Said,
};
use crate::{
    access::Actor,
    app::{App, Change, Section, shown},
    pages::{
        Form,
        build::{
            effect::{self, Edited, EffectPart},
            field::Problems,
            form_again, lead_to, taken,
            typed::{Asked, Typed},
            version,
        },
        page,
    },
    refusal::Refusal,
};

/// Takes a mapping as JSON, to the letter.
pub(in crate::pages::build) async fn replace(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Mappings, &name)?;
    let version = version(&typed)?;
    let text = typed.lines("document");
    let failures = match serde_json::from_str(&text) {
        Ok(document) => {
            let kept_so = Kept { name: &name, document, expected: Some(version) };
            match keep(&app, &actor, asked, &typed, kept_so).await {
                Ok(None) => return Ok(lead_to(asked, &format!("/mappings/{name}"))),
                Ok(effect) => {
                    let document = Document { text, version, failures: Vec::new(), effect };
                    return page(&kept(&app, &actor, &name, Some(document)).await?);
                }
                Err(problems) => problems.into_iter().map(|problem| problem.failure).collect(),
            }
        }
        Err(error) => {
            let message = format!("this is not a JSON object: {error}");
            vec![
                Failure::new(Code::RequestInvalid, message)
                    .help("Correct it at the place that is named"),
            ]
        }
    };
    let document = Document { text, version, failures, effect: None };
    let page = page(&kept(&app, &actor, &name, Some(document)).await?)?;
    Ok(form_again(asked, page))
}

/// What a mapping is to be.
struct Kept<'k> {
    name: &'k str,
    document: Map<String, Value>,
    /// The version that is changed; `None` for a new mapping.
    expected: Option<i64>,
}

/// Keeps a mapping, unless there is something to be said before.
async fn keep(
    app: &App,
    actor: &Actor,
    asked: Asked,
    typed: &Typed,
    Kept { name, document, expected }: Kept<'_>,
) -> Result<Option<EffectPart>, Vec<Problem>> {
    if expected.is_some() {
        let edited = edited(name, &document);
        if let Some(question) = effect::question(app, actor, asked, typed, edited).await? {
            return Ok(Some(question));
        }
    }
    let (section, document) = (Section::Mappings, Some(document));
    let change = Change { section, name: name.to_owned(), document, expected };
    app.change(&actor.told(), change).await?;
    let then = effect::follow_up(app, actor, typed, [name.to_owned()]).await;
    then.map_err(|failure| vec![failure.into()])?;
    Ok(None)
}

fn edited<'e>(name: &'e str, document: &'e Map<String, Value>) -> Edited<'e> {
    Edited { section: Section::Mappings, name, document, counts_at: "/build/mapping-effect" }
}

/// How many records an edit touches that is not made yet.
pub(in crate::pages::build) async fn counts(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let name = typed.get("of").to_owned();
    app.configuration().find(Section::Mappings, &name)?;
    let ends = Ends::typed(&typed);
    let (_, document) = worked_out(&app, &ends, &name, typed)?;
    let counted = match document {
        Ok(document) => effect::numbers(&app, &actor, edited(&name, &document)).await,
        Err(wrong) => Err(wrong.into_iter().map(|(_, failure)| failure.into()).collect()),
    };
    page(&counted.unwrap_or_else(|problems| effect::unknown(&app, &actor, problems)))
}

pub(in crate::pages::build) async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let name = typed.get("name").to_owned();
    let refused = taken(&app, Section::Mappings, &name);
    save(&app, &actor, asked, Saving { of: None, name, typed, refused, expected: None }).await
}

pub(in crate::pages::build) async fn update(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Mappings, &name)?;
    typed.set("name", name.as_str());
    let expected = Some(version(&typed)?);
    let of = Some(name.clone());
    save(&app, &actor, asked, Saving { of, name, typed, refused: None, expected }).await
}

/// A mapping that is to be kept.
struct Saving {
    /// Its name, if it is there already.
    of: Option<String>,
    name: String,
    typed: Typed,
    /// Why it cannot have its name.
    refused: Option<Failure>,
    expected: Option<i64>,
}

async fn save(app: &App, actor: &Actor, asked: Asked, saving: Saving) -> Result<Response, Refusal> {
    let Saving { of, name, typed, refused, expected } = saving;
    let ends = Ends::typed(&typed);
    let (said, document) = worked_out(app, &ends, &name, typed)?;
    let (problems, wrong, effect) = match (refused, document) {
        (Some(failure), document) => {
            (Problems::at("", failure), document.err().unwrap_or_default(), None)
        }
        (None, Err(wrong)) => (Problems::default(), wrong, None),
        (None, Ok(document)) => {
            let kept = Kept { name: &name, document, expected };
            match keep(app, actor, asked, &said.typed, kept).await {
                Ok(None) => return Ok(lead_to(asked, &format!("/mappings/{name}"))),
                Ok(effect) => (Problems::default(), Vec::new(), effect),
                Err(problems) => (Problems::new(Section::Mappings, problems), Vec::new(), None),
            }
        }
    };
    let asks = effect.is_some();
    let draft = Draft { of: of.as_deref(), ends, said, problems, wrong, effect };
    let page = page(&editor(app, actor, draft).await?)?;
    Ok(if asks { page } else { form_again(asked, page) })
}

/// The document that a form makes, or what is wrong with it by its paths.
type Made = Result<Map<String, Value>, Vec<(String, Failure)>>;

/// What was typed, and the document that it makes.
fn worked_out(app: &App, ends: &Ends, name: &str, typed: Typed) -> Result<(Said, Made), Failure> {
    let configuration = app.configuration();
    let definition = ends.definition(&configuration.workspace)?;
    let action = action(&definition, &ends.action)?;
    let said = Said::typed(action, typed);
    let before = configuration.made(Section::Mappings, name).map(|entry| shown(&entry.document));
    // Those that the form was made with: what was typed means them.
    let columns: Vec<String> = said.typed.all("column").map(str::to_owned).collect();
    let document = said.document(action, &columns, before.as_ref());
    Ok((said, document))
}
