//! People, API tokens, and who changed what.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use ebb_core::{Code, Failure, port::Clock};
use ebb_store::{Person, Role, Token};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Form, Frame,
    changes::{self, Change},
    clock, page,
    words::ago,
};
use crate::{
    access::{Actor, Gate},
    app::App,
    refusal::Refusal,
};

/// Changes that are shown of all.
const CHANGES: usize = 10;

/// A token as a line of a list.
struct TokenLine {
    token: Token,
    owner: String,
    used: String,
    ends: String,
    mine: bool,
}

/// What is shown once, and never again.
struct Shown {
    what: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    owner: bool,
    me: String,
    people: Vec<Person>,
    /// What the identity provider is called.
    provider: String,
    tokens: Vec<TokenLine>,
    roles: Vec<Role>,
    changes: Vec<Change>,
    shown: Option<Shown>,
}

pub(super) async fn show(State(app): State<Arc<App>>, actor: Actor) -> Result<Response, Refusal> {
    settings(&app, &actor, None).await
}

async fn settings(app: &App, actor: &Actor, shown: Option<Shown>) -> Result<Response, Refusal> {
    let owner = actor.may(Role::Owner);
    let now = SystemClock.now();
    let people = app.store.people().await?;
    let tokens = app.store.tokens().await?.into_iter();
    let tokens = tokens.filter(|token| owner || token.person == actor.person.id);
    let name = |id: &str| {
        let person = people.iter().find(|person| person.id == id);
        person.map(|person| person.name.clone()).unwrap_or_default()
    };
    let tokens = tokens.map(|token| TokenLine {
        owner: name(&token.person),
        used: token.used_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
        ends: token.expires_at.map_or_else(|| "never".to_owned(), |at| clock::alone(now, at)),
        mine: owner || token.person == actor.person.id,
        token,
    });
    let audit = if owner { app.store.audit(None, CHANGES).await? } else { Vec::new() };
    let tokens = tokens.collect();
    page(&SettingsPage {
        frame: Frame::new(app, actor, "settings"),
        owner,
        me: actor.person.id.clone(),
        tokens,
        people,
        provider: app.gate.as_ref().map_or("identity provider", Gate::label).to_owned(),
        roles: Role::ALL.into_iter().filter(|role| *role <= actor.role).collect(),
        changes: changes::shown(app, audit),
        shown,
    })
}

#[derive(Deserialize)]
pub(super) struct Invited {
    email: String,
    name: String,
    role: Role,
}

/// Invites somebody; the link is shown once.
pub(super) async fn invite(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(Invited { email, name, role }): Form<Invited>,
) -> Result<Response, Refusal> {
    let (_, link) = app.invite(&actor, &email, Some(&name), role).await?;
    show_link(&app, &actor, link).await
}

/// Gives somebody a new link, by which they choose a new password.
pub(super) async fn invite_again(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let (_, link) = app.invite_again(&actor, &id).await?;
    show_link(&app, &actor, link).await
}

async fn show_link(app: &App, actor: &Actor, value: String) -> Result<Response, Refusal> {
    let what = "Send them this link. It works once, for seven days, and is not shown again";
    settings(app, actor, Some(Shown { what, value })).await
}

#[derive(Deserialize)]
pub(super) struct Changed {
    name: String,
    role: Role,
}

/// Gives a person another name or role.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    Form(Changed { name, role }): Form<Changed>,
) -> Result<Response, Refusal> {
    app.change_person(&actor, &id, Some(&name), Some(role)).await?;
    Ok(Redirect::to("/settings").into_response())
}

/// Removes a person, with their sessions and tokens.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    app.remove_person(&actor, &id).await?;
    Ok(Redirect::to("/settings").into_response())
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    name: String,
    role: Role,
    /// Days until it ends; empty for one that does not.
    days: String,
}

/// Makes an API token; it is shown once.
pub(super) async fn add_token(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(Wanted { name, role, days }): Form<Wanted>,
) -> Result<Response, Refusal> {
    let end = end(SystemClock.now(), &days)?;
    let (_, value) = app.make_token(&actor, &name, role, end).await?;
    let what = "This is the token. It is not shown again";
    settings(&app, &actor, Some(Shown { what, value: value.expose().to_owned() })).await
}

fn end(now: Timestamp, days: &str) -> Result<Option<Timestamp>, Failure> {
    if days.is_empty() {
        return Ok(None);
    }
    let hours = days.parse::<u32>().ok().map(|days| i64::from(days) * 24);
    let end = hours.and_then(|hours| now.checked_add(jiff::SignedDuration::from_hours(hours)).ok());
    end.map(Some).ok_or_else(|| {
        Failure::new(Code::RequestInvalid, format!("`{days}` is not a number of days"))
            .help("Give a whole number, or nothing for a token without an end")
    })
}

/// Revokes a token: one's own, or as an owner anybody's.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    app.revoke_token(&actor, &id).await?;
    Ok(Redirect::to("/settings").into_response())
}
