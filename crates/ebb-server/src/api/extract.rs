//! What handlers take of a request. Whatever does not fit is refused as a problem document.

use axum::{
    Json,
    extract::{
        self, FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::JsonRejection,
    },
    http::{StatusCode, header::IF_MATCH, request::Parts},
};
use ebb_core::{Code, Failure};
use ebb_store::Role;
use serde::de::DeserializeOwned;

use crate::{
    access::Actor,
    body::{LARGEST, too_large},
    refusal::Refusal,
};

/// What the address names.
pub(super) struct Path<T>(pub(super) T);

/// What stands behind the question mark.
pub(super) struct Query<T>(pub(super) T);

/// A JSON document.
pub(super) struct Body<T>(pub(super) T);

/// Somebody who may change the configuration and start syncs.
pub(super) struct Editor(pub(super) Actor);

/// Somebody who may decide who else may do something.
pub(super) struct Owner(pub(super) Actor);

/// The version that is changed, by `If-Match`.
pub(super) struct IfMatch(pub(super) i64);

fn refused(why: &str) -> Refusal {
    Failure::new(Code::RequestInvalid, why.to_owned()).into()
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(value)) => Ok(Self(value)),
            Err(error) => Err(refused(&error.body_text())),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(refused(&error.body_text())),
        }
    }
}

fn unread(error: &JsonRejection) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(LARGEST).into();
    }
    refused(&error.body_text())
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match <Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) => Err(unread(&error)),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refusal> {
        match <Json<T> as OptionalFromRequest<S>>::from_request(request, state).await {
            Ok(given) => Ok(given.map(|Json(value)| Self(value))),
            Err(error) => Err(unread(&error)),
        }
    }
}

async fn who<S: Send + Sync>(parts: &mut Parts, state: &S, role: Role) -> Result<Actor, Refusal> {
    let actor = <Actor as FromRequestParts<S>>::from_request_parts(parts, state).await?;
    actor.must_be(role)?;
    Ok(actor)
}

impl<S: Send + Sync> FromRequestParts<S> for Editor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        who(parts, state, Role::Editor).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        who(parts, state, Role::Owner).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(given) = parts.headers.get(IF_MATCH) else {
            let message = "the request does not say which version it changes";
            return Err(Failure::new(Code::VersionMissing, message).into());
        };
        // A proxy that compresses makes a weak tag of a strong one.
        let text = given.to_str().unwrap_or_default();
        let number = text.strip_prefix("W/").unwrap_or(text).trim_matches('"').parse();
        let other = |_| Failure::new(Code::EditConflict, "`If-Match` names no version of this");
        Ok(Self(number.map_err(other)?))
    }
}
