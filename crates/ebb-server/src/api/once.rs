//! Requests that start something, and are meant once although they may come twice.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure, port::Clock};
use ebb_engine::Work;
use ebb_store::Once;
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    access::{Actor, digest_of},
    app::App,
    refusal::Refusal,
};

/// So long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// No key is longer.
const LONGEST: usize = 255;

/// What `Idempotency-Key` says.
pub(super) struct Key(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(given) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let text = given.to_str().ok().filter(|text| (1..=LONGEST).contains(&text.len()));
        let unfit = || {
            let message = format!("an `Idempotency-Key` has 1 to {LONGEST} characters of ASCII");
            Failure::new(Code::RequestInvalid, message)
        };
        Ok(Self(Some(text.ok_or_else(unfit)?.to_owned())))
    }
}

/// Work that was asked for, and starts as soon as there is a place.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    mapping: String,
    /// What is done: `sync`, `approved`, `backfill`, `approved_backfill`, `rebase` or `replay`.
    kind: &'static str,
    /// Of a replay: the past sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    of: Option<String>,
    requested_at: Timestamp,
}

/// Asks for work on a mapping. With a key that was used for the same before, the answer of then is given
/// and nothing starts.
pub(super) async fn start(
    app: &App,
    actor: &Actor,
    key: Key,
    mapping: &str,
    work: Work,
) -> Result<Response, Refusal> {
    let now = SystemClock.now();
    let (kind, of) = match work {
        Work::Sync => ("sync", None),
        Work::ApprovedSync => ("approved", None),
        Work::Backfill => ("backfill", None),
        Work::ApprovedBackfill => ("approved_backfill", None),
        Work::Rebase => ("rebase", None),
        Work::Replay { of } => ("replay", Some(of.to_string())),
    };
    let request = format!("{mapping} {kind} {}", of.as_deref().unwrap_or_default());
    let accepted = Accepted { mapping: mapping.to_owned(), kind, of, requested_at: now };
    let answer = serde_json::to_value(&accepted).map_err(|error| {
        Failure::new(Code::StateUnavailable, "the answer could not be told").caused_by(error)
    })?;
    let once = key.0.map(|key| {
        let key = digest_of(&format!("{} {key}", actor.person.id));
        Once { key, request }
    });
    if let Some(once) = &once {
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        if let Some(kept) = app.store.answer_once(once, &answer, now, oldest).await? {
            return Ok(told(kept));
        }
    }
    if let Err(failure) = app.request(actor, mapping, work).await {
        if let Some(once) = &once {
            app.store.forget_answer(once).await?;
        }
        return Err(failure.into());
    }
    Ok(told(answer))
}

fn told(answer: Value) -> Response {
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}
