//! Requests that start something, and are meant once although they may come twice.

use std::sync::Arc;

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

impl Key {
    /// What is asked under this key, and by whom. `request` is the same only for the same.
    pub(super) fn once(self, actor: &Actor, request: String) -> Option<Once> {
        let key = digest_of(&format!("{} {}", actor.person.id, self.0?));
        Some(Once { key, request })
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

/// Does something. With a key that was used for the same before, the answer of then is given and nothing is
/// done; what was refused may be tried again. `A619` while it is being done, or if it never came to an end.
pub(super) async fn done<T: Serialize + Send + 'static>(
    app: &Arc<App>,
    once: Option<Once>,
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<Json<Value>, Refusal> {
    let work = async { Ok(Json(told(work.await?)?)) };
    let Some(once) = once else { return work.await };
    let store = Arc::clone(&app.store);
    // Whoever asked may hang up at any moment, and will ask again what came of it.
    let ended = app.finishing.spawn(async move {
        let now = SystemClock.now();
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        // `null` stands for the answer until there is one.
        match store.answer_once(&once, &Value::Null, now, oldest).await? {
            None => {}
            Some(Value::Null) => {
                let message = "a request with this `Idempotency-Key` has begun and has not ended";
                return Err(Failure::new(Code::RequestUnfinished, message).into());
            }
            Some(kept) => return Ok(Json(kept)),
        }
        let answer: Result<Json<Value>, Refusal> = work.await;
        match &answer {
            Ok(Json(answer)) => store.keep_answer(&once, answer).await?,
            Err(_) => store.forget_answer(&once).await?,
        }
        answer
    });
    ended.await.map_err(|error| {
        let message = "what was asked came to no end";
        Refusal::from(Failure::new(Code::StateUnavailable, message).caused_by(error))
    })?
}

fn told(answer: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer).map_err(|error| {
        Failure::new(Code::StateUnavailable, "the answer could not be told").caused_by(error)
    })
}

/// Asks for work on a mapping; it starts as soon as there is a place.
pub(super) async fn start(
    app: &Arc<App>,
    actor: Actor,
    key: Key,
    mapping: String,
    work: Work,
) -> Result<Response, Refusal> {
    let (kind, of) = match work {
        Work::Sync => ("sync", None),
        Work::ApprovedSync => ("approved", None),
        Work::Backfill => ("backfill", None),
        Work::ApprovedBackfill => ("approved_backfill", None),
        Work::Rebase => ("rebase", None),
        Work::Replay { of } => ("replay", Some(of.to_string())),
    };
    let request = format!("{mapping} {kind} {}", of.as_deref().unwrap_or_default());
    let once = key.once(&actor, request);
    let asked = Arc::clone(app);
    let work = async move {
        asked.request(&actor, &mapping, work).await?;
        Ok(Accepted { mapping, kind, of, requested_at: SystemClock.now() })
    };
    Ok((StatusCode::ACCEPTED, done(app, once, work).await?).into_response())
}
