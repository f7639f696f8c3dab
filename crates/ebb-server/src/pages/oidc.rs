//! Signing in by an identity provider: there and back.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use ebb_core::{Code, Failure};
use serde::Deserialize;

use super::door::{own_path, refused};
use crate::{
    access::{Answer, Gate},
    app::App,
    refusal::Refusal,
};

#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    next: String,
    link: Option<String>,
}

/// Sends the browser to the provider.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    cookies: CookieJar,
    Query(Wish { next, link }): Query<Wish>,
) -> Response {
    let begun = match gate(&app) {
        Ok(gate) => gate.begin(&app, own_path(&next), link).await,
        Err(failure) => Err(failure),
    };
    match begun {
        Ok((cookie, address)) => (cookies.add(cookie), Redirect::to(&address)).into_response(),
        Err(failure) => refused(&failure.into()),
    }
}

/// Takes back a browser that the provider sends.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    cookies: CookieJar,
    Query(answer): Query<Answer>,
) -> Response {
    let gate = match gate(&app) {
        Ok(gate) => gate,
        Err(failure) => return refused(&failure.into()),
    };
    let ended = gate.end(&app, &cookies, answer).await;
    let cookies = cookies.add(Gate::used(&app));
    match ended {
        Ok((session, next)) => {
            (cookies.add(session), Redirect::to(own_path(&next))).into_response()
        }
        Err(failure) => {
            tracing::info!(%failure, "a sign-in by the identity provider failed");
            (cookies, refused(&Refusal::from(failure))).into_response()
        }
    }
}

fn gate(app: &App) -> Result<&Gate, Failure> {
    app.gate.as_ref().ok_or_else(|| {
        Failure::new(Code::AddressUnknown, "nobody signs in by an identity provider here")
    })
}
