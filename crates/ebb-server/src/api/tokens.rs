//! Tokens of the API: shown once, and known by a digest from then on.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ebb_store::{Role, Token};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor, Path},
    people::RoleName,
};
use crate::{access::Actor, app::App, refusal::Refusal};

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
    /// When it ends; never if absent, or with the token that makes it.
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
    let (token, value) = app.make_token(&actor, &name, role, expires_at).await?;
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
    app.revoke_token(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
