//! Who may use the server: people, and what they hold.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ebb_store::{Person, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{Body, Owner, Path};
use crate::{
    access::{Actor, Credential},
    app::App,
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
    /// Whether they have chosen a password, or an identity provider vouched for them.
    joined: bool,
    /// Whether an identity provider vouched for them.
    linked: bool,
    created_at: Timestamp,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let Person { id, email, name, role, joined, linked, created_at } = person;
        Self { id, email, name, role, joined, linked, created_at }
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
    let (person, link) = app.invite(&actor, &email, name.as_deref(), role).await?;
    Ok((StatusCode::CREATED, Json(Invited { person: person.into(), link })).into_response())
}

/// Give somebody a new link, by which they choose a new password
#[utoipa::path(post, path = "/people/{id}/invite", tag = "people", params(("id" = String, Path)),
    responses((status = 201, description = "Invited", body = Invited)))]
async fn invite_again(
    State(app): State<Arc<App>>,
    Owner(actor): Owner,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let (person, link) = app.invite_again(&actor, &id).await?;
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
    Ok(Json(app.change_person(&actor, &id, name.as_deref(), role).await?.into()))
}

/// Remove somebody, with their sessions and tokens
#[utoipa::path(delete, path = "/people/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(app): State<Arc<App>>,
    Owner(actor): Owner,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.remove_person(&actor, &id).await?;
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
        Credential::Token { name, .. } => Some(name),
        Credential::Session { .. } => None,
    };
    Json(Me { person: person.into(), role, token })
}
