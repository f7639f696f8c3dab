//! **Test connection**: every step and what came of it. Nothing of what was typed is kept.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::{Failure, config::Problem, port::Finding};
use ebb_store::Role;

use super::{
    edit::{Shown, whole_page},
    form::document,
};
use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Form, Frame,
        build::{
            field::Problems,
            form_again,
            typed::{Asked, Typed},
        },
        page,
    },
    refusal::Refusal,
};

/// A step of the test.
pub(in crate::pages::build) struct Step {
    pub(super) word: String,
    pub(super) failure: Option<Failure>,
}

#[derive(Template)]
#[template(path = "build/source_checks.html")]
struct ChecksPart {
    frame: Frame,
    steps: Vec<Step>,
}

/// Tests a source with what was typed; `of` names one that is there, of which secrets that are left out
/// are taken. One that comes from files is tested as it is.
pub(in crate::pages::build) async fn test(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let of = Some(typed.get("of")).filter(|name| !name.is_empty());
    match steps(&app, of, &typed).await {
        Ok(steps) if asked == Asked::Part => {
            page(&ChecksPart { frame: Frame::new(&app, &actor, "sources"), steps })
        }
        Ok(steps) => {
            let shown = Shown { of, typed: &typed, problems: Problems::default(), steps };
            whole_page(&app, &actor, shown)
        }
        Err(problems) => {
            let problems = Problems::new(Section::Sources, problems);
            let shown = Shown { of, typed: &typed, problems, steps: Vec::new() };
            Ok(form_again(asked, whole_page(&app, &actor, shown)?))
        }
    }
}

async fn steps(app: &App, of: Option<&str>, typed: &Typed) -> Result<Vec<Step>, Vec<Problem>> {
    let alone = |failure: Failure| vec![failure.into()];
    if let Some(name) = of.filter(|name| app.configuration().in_files(Section::Sources, name)) {
        let workspace = &app.configuration().workspace;
        let redactor = workspace.redactor();
        let findings = workspace.warehouse(name).map_err(alone)?.check().await;
        let told = |failure: Failure| failure.map_message(|text| redactor.redact(&text));
        return Ok(findings.into_iter().map(|finding| Step::new(finding, told)).collect());
    }
    let kind = ebb_warehouse::form(typed.get("kind")).map_err(alone)?;
    let draft = app.draft(Section::Sources, of, document(kind, typed))?;
    let warehouse = draft.configuration.workspace.warehouse(&draft.name).map_err(alone)?;
    let findings = warehouse.check().await;
    Ok(findings.into_iter().map(|finding| Step::new(finding, |it| draft.told(it))).collect())
}

/// Whether nothing failed.
pub(in crate::pages::build) fn all_work(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.failure.is_none())
}

impl Step {
    fn new(finding: Finding, told: impl Fn(Failure) -> Failure) -> Self {
        let mut letters = finding.step.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let word = first.into_iter().chain(letters).collect();
        Self { word, failure: finding.failure.map(told) }
    }
}
