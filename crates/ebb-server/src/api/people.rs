//! Who may use the server: people, and what they hold.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure, port::Clock};
use ebb_store::{Person, Role};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{Body, Owner, Path};
use crate::{
    access::{Actor, Credential, address, invite},
    app::{App, new_id},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
        .routes(routes!(invite_again))
        .routes(routes!(me))
}

/// What somebody may do; each may do what the ones before may.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of the control database's roles")]
pub(super) enum RoleName {
    /// Looks.
    Viewer,
    /// Changes the configuration, and starts syncs.
    Editor,
    /// Invites people, and sees the audit log.
    Owner,
}

/// Somebody who may use the server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonView {
    id: String,
    email: String,
    name: String,
    #[schema(value_type = RoleName)]
    role: Role,
    /// Whether they have chosen a password.
    joined: bool,
    created_at: Timestamp,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let Person { id, email, name, role, joined, created_at } = person;
        Self { id, email, name, role, joined, created_at }
    }
}

/// Everybody.
#[derive(Debug, Serialize, ToSchema)]
struct People {
    /// By name.
    items: Vec<PersonView>,
}

/// List everybody who may use the server
#[utoipa::path(get, path = "/people", tag = "people",
    responses((status = 200, description = "By name", body = People)))]
async fn list(State(app): State<Arc<App>>, _: Owner) -> Result<Json<People>, Refusal> {
    let people = app.store.people().await?;
    Ok(Json(People { items: people.into_iter().map(PersonView::from).collect() }))
}

/// Somebody new.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    email: String,
    /// What to call them; the address if absent.
    name: Option<String>,
    #[schema(value_type = RoleName)]
    role: Role,
}

/// Somebody who is invited.
#[derive(Debug, Serialize, ToSchema)]
struct Invited {
    person: PersonView,
    /// The path of the page where they choose a password. It works once, for seven days, and is not told
    /// again.
    link: String,
}

/// Invite somebody; the link is told once
#[utoipa::path(post, path = "/people", tag = "people", request_body = NewPerson,
    responses((status = 201, description = "Invited", body = Invited)))]
async fn add(
    State(app): State<Arc<App>>,
    Owner(actor): Owner,
    Body(NewPerson { email, name, role }): Body<NewPerson>,
) -> Result<Response, Refusal> {
    let email = address(&email)?;
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| email.clone());
    let person = Person {
        id: new_id(),
        email,
        name: name.trim().to_owned(),
        role,
        joined: false,
        created_at: SystemClock.now(),
    };
    app.store.add_person(&person).await?;
    invited(&app, &actor, person).await
}

/// Give somebody a new link, by which they choose a new password
#[utoipa::path(post, path = "/people/{id}/invite", tag = "people", params(("id" = String, Path)),
    responses((status = 201, description = "Invited", body = Invited)))]
async fn invite_again(
    State(app): State<Arc<App>>,
    Owner(actor): Owner,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let person = app.store.person(&id).await?;
    invited(&app, &actor, person).await
}

async fn invited(app: &App, actor: &Actor, person: Person) -> Result<Response, Refusal> {
    let link = invite(&app.store, &person.id).await?;
    app.note(actor, "person.invited", &person.email).await?;
    Ok((StatusCode::CREATED, Json(Invited { person: person.into(), link })).into_response())
}

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonChange {
    name: Option<String>,
    #[schema(value_type = Option<RoleName>)]
    role: Option<Role>,
}

/// Give somebody another name or role
#[utoipa::path(patch, path = "/people/{id}", tag = "people", params(("id" = String, Path)),
    request_body = PersonChange,
    responses((status = 200, description = "As they are now", body = PersonView)))]
async fn change(
    State(app): State<Arc<App>>,
    Owner(actor): Owner,
    Path(id): Path<String>,
    Body(PersonChange { name, role }): Body<PersonChange>,
) -> Result<Json<PersonView>, Refusal> {
    let person = app.store.person(&id).await?;
    let name = name.map_or_else(|| person.name.clone(), |name| name.trim().to_owned());
    if name.is_empty() {
        let failure = Failure::new(Code::RequestInvalid, "the name is empty");
        return Err(failure.help("Say what to call them").into());
    }
    app.store.change_person(&id, &name, role.unwrap_or(person.role)).await?;
    app.note(&actor, "person.changed", &person.email).await?;
    Ok(Json(app.store.person(&id).await?.into()))
}

/// Remove somebody, with their sessions and tokens
#[utoipa::path(delete, path = "/people/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(app): State<Arc<App>>,
    Owner(actor): Owner,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let person = app.store.person(&id).await?;
    app.store.remove_person(&id).await?;
    app.note(&actor, "person.removed", &person.email).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    person: PersonView,
    /// What they may do now: a token may allow less than its person's role.
    #[schema(value_type = RoleName)]
    role: Role,
    /// The name of the token that was sent, if one was.
    #[schema(required, nullable)]
    token: Option<String>,
}

/// Say who asks
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, description = "You", body = Me)))]
async fn me(actor: Actor) -> Json<Me> {
    let Actor { person, role, credential, .. } = actor;
    let token = match credential {
        Credential::Token { name } => Some(name),
        Credential::Session { .. } => None,
    };
    Json(Me { person: person.into(), role, token })
}
