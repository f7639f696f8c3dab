//! One rule: made, shown, changed, removed.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use ebb_core::{
    Failure,
    config::{AlertRule, Problem},
};
use ebb_store::Role;

use super::form::{RuleForm, document, typed};
use crate::{
    access::Actor,
    app::{App, Change, Section},
    pages::{
        Form, Frame,
        build::{
            Hold,
            field::Problems,
            form_again, lead_to, shown_version, taken,
            typed::{Asked, Typed},
            version,
        },
        page,
    },
    refusal::Refusal,
};

/// A rule that is there.
struct There {
    name: String,
    version: i64,
}

#[derive(Template)]
#[template(path = "build/rule.html")]
struct RulePage {
    frame: Frame,
    form: RuleForm,
    there: Option<There>,
    /// Whether it replaces the rule that is built in.
    standard: bool,
    hold: Hold,
}

fn rule_page(
    app: &App,
    actor: &Actor,
    of: Option<&str>,
    typed: &Typed,
    problems: Problems,
) -> RulePage {
    let configuration = app.configuration();
    let there = of.filter(|name| configuration.find(Section::AlertRules, name).is_ok());
    let entry = there.and_then(|name| configuration.made(Section::AlertRules, name));
    RulePage {
        frame: Frame::new(app, actor, "alerts"),
        form: RuleForm::new(&configuration, typed, problems),
        standard: of == Some(AlertRule::STANDARD),
        there: there
            .map(|name| There { name: name.to_owned(), version: shown_version(typed, entry) }),
        hold: Hold::of(app, actor, Section::AlertRules, of.unwrap_or_default()),
    }
}

pub(in crate::pages::build) async fn show_new(
    State(app): State<Arc<App>>,
    actor: Actor,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let typed = typed("", &AlertRule::default());
    page(&rule_page(&app, &actor, None, &typed, Problems::default()))
}

async fn save(
    app: &App,
    actor: &Actor,
    name: &str,
    typed: &Typed,
    expected: Option<i64>,
) -> Result<i64, Vec<Problem>> {
    let (section, name) = (Section::AlertRules, name.to_owned());
    let document = Some(document(typed));
    app.change(&actor.told(), Change { section, name, document, expected }).await
}

pub(in crate::pages::build) async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let name = typed.get("name");
    let problems = match taken(&app, Section::AlertRules, name) {
        Some(failure) => Problems::at("", failure),
        None => match save(&app, &actor, name, &typed, None).await {
            Ok(_) => return Ok(lead_to(asked, "/alerts?done=rule")),
            Err(problems) => Problems::new(Section::AlertRules, problems),
        },
    };
    Ok(form_again(asked, page(&rule_page(&app, &actor, None, &typed, problems))?))
}

/// The rule of this name; the one that is built in, if nothing replaces it.
fn found(app: &App, name: &str) -> Result<AlertRule, Failure> {
    let configuration = app.configuration();
    match configuration.workspace.project.alert_rules.get(name) {
        Some(rule) => Ok(rule.clone()),
        None if name == AlertRule::STANDARD => Ok(AlertRule::default()),
        None => configuration.find(Section::AlertRules, name).map(|()| AlertRule::default()),
    }
}

pub(in crate::pages::build) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let typed = typed(&name, &found(&app, &name)?);
    page(&rule_page(&app, &actor, Some(&name), &typed, Problems::default()))
}

pub(in crate::pages::build) async fn update(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::AlertRules, &name)?;
    typed.set("name", name.as_str());
    let expected = Some(version(&typed)?);
    match save(&app, &actor, &name, &typed, expected).await {
        Ok(_) => Ok(lead_to(asked, "/alerts?done=rule")),
        Err(problems) => {
            let problems = Problems::new(Section::AlertRules, problems);
            let shown = rule_page(&app, &actor, Some(&name), &typed, problems);
            Ok(form_again(asked, page(&shown)?))
        }
    }
}
