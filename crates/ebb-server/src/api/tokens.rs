//! Tokens of the API: shown once, and known by a digest from then on.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure, port::Clock};
use ebb_store::{Role, Token};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor, Path},
    people::RoleName,
};
use crate::{
    access::{Actor, digest_of, new_token},
    app::{App, new_id},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(revoke))
}

/// A token, without what it is known by.
#[derive(Debug, Serialize, ToSchema)]
struct TokenView {
    id: String,
    /// What it is for.
    name: String,
    /// What it may do, if its person may still.
    #[schema(value_type = RoleName)]
    role: Role,
    /// The identity of the person whom it belongs to.
    person: String,
    created_at: Timestamp,
    #[schema(required, nullable)]
    expires_at: Option<Timestamp>,
    /// When it was used last, give or take some minutes.
    #[schema(required, nullable)]
    used_at: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let Token { id, name, role, person, created_at, expires_at, used_at } = token;
        Self { id, name, role, person, created_at, expires_at, used_at }
    }
}

/// Tokens.
#[derive(Debug, Serialize, ToSchema)]
struct Tokens {
    /// The newest first.
    items: Vec<TokenView>,
}

/// List one's own tokens, or as an owner everybody's
#[utoipa::path(get, path = "/tokens", tag = "tokens",
    responses((status = 200, description = "The newest first", body = Tokens)))]
async fn list(State(app): State<Arc<App>>, actor: Actor) -> Result<Json<Tokens>, Refusal> {
    let tokens = app.store.tokens().await?.into_iter();
    let seen = tokens.filter(|token| actor.may(Role::Owner) || token.person == actor.person.id);
    Ok(Json(Tokens { items: seen.map(TokenView::from).collect() }))
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What it is for.
    #[schema(min_length = 1)]
    name: String,
    /// What it may do: no more than who makes it.
    #[schema(value_type = RoleName)]
    role: Role,
    /// When it ends; never if absent.
    expires_at: Option<Timestamp>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
struct MadeToken {
    #[serde(flatten)]
    made: TokenView,
    /// What to send as `Authorization: Bearer TOKEN`. It is not told again.
    token: String,
}

/// Make a token; it is told once
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, description = "Made", body = MadeToken)))]
async fn add(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Body(NewToken { name, role, expires_at }): Body<NewToken>,
) -> Result<Response, Refusal> {
    actor.must_be(role)?;
    let now = SystemClock.now();
    let name = name.trim().to_owned();
    if name.is_empty() {
        let failure = Failure::new(Code::RequestInvalid, "the token has no name");
        return Err(failure.help("Say what it is for").into());
    }
    if expires_at.is_some_and(|end| end <= now) {
        let failure = Failure::new(Code::RequestInvalid, "`expires_at` has passed already");
        return Err(failure.help("Give a moment that is still to come").into());
    }
    let person = actor.person.id.clone();
    let token =
        Token { id: new_id(), name, role, person, created_at: now, expires_at, used_at: None };
    let value = new_token()?;
    app.store.add_token(&token, &digest_of(value.expose())).await?;
    app.note(&actor, "token.created", &token.name).await?;
    let made = MadeToken { made: token.into(), token: value.expose().to_owned() };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Revoke a token: one's own, or as an owner anybody's
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = 204, description = "Revoked")))]
async fn revoke(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    theirs(&app, &actor, &id).await?;
    let token = app.store.revoke_token(&id).await?;
    app.note(&actor, "token.revoked", &token.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is no owner knows of no token but their own.
async fn theirs(app: &App, actor: &Actor, id: &str) -> Result<(), Failure> {
    let tokens = app.store.tokens().await?;
    let known = tokens
        .iter()
        .any(|token| token.id == id && (actor.may(Role::Owner) || token.person == actor.person.id));
    if known {
        return Ok(());
    }
    Err(Failure::new(Code::AddressUnknown, format!("there is no token `{id}`")))
}
