//! What a browser sends on behalf of a session must come from a page of that session, and what it sends without
//! one from a page of this server.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure};
use url::form_urlencoded;

use super::{Actor, Credential, cross_site::is_cross_site};
use crate::{
    app::App,
    body::{LARGEST, too_large},
    refusal::Refusal,
};

/// The header that scripts send the mark in.
const HEADER: &str = "x-csrf-token";
/// The field of forms.
const FIELD: &str = "csrf";

/// Refuses (`A606`) what changes something and bears no mark of its session, or comes from another site.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return next.run(request).await;
    }
    let path = request.uri().path();
    // Who signs in or joins does it by what the form says, whoever is signed in already.
    let by_itself = path == "/sign-in" || path.starts_with("/join/");
    let actor = request.extensions().get::<Actor>().filter(|_| !by_itself);
    let expected = match actor.map(|actor| &actor.credential) {
        Some(Credential::Session { csrf }) => csrf.clone(),
        None if is_cross_site(&request, &app.url()) => {
            return Refusal::from(elsewhere()).into_response();
        }
        // Nothing is done in anybody's name, or by a token, which no browser sends by itself.
        Some(Credential::Token { .. }) | None => return next.run(request).await,
    };
    if request.headers().get(HEADER).is_some_and(|mark| mark == expected.as_str()) {
        return next.run(request).await;
    }
    match with_mark(request, &expected).await {
        Ok(request) => next.run(request).await,
        Err(failure) => Refusal::from(failure).into_response(),
    }
}

fn elsewhere() -> Failure {
    let message = "the form was sent from a page of another address";
    Failure::new(Code::FormExpired, message).help(
        "Open the server's own page and send the form there; behind a proxy, say under `url` where people reach it",
    )
}

/// Looks for the mark in a form.
async fn with_mark(request: Request, expected: &str) -> Result<Request, Failure> {
    let expired = || Failure::new(Code::FormExpired, "the form is out of date");
    let form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !form {
        return Err(expired());
    }
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &()).await.map_err(|error| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large(LARGEST);
        }
        Failure::new(Code::RequestInvalid, "the form did not arrive as a whole")
            .help("Send it again")
            .caused_by(error)
    })?;
    let marked =
        form_urlencoded::parse(&body).any(|(key, value)| key == FIELD && value == expected);
    if marked { Ok(Request::from_parts(parts, Body::from(body))) } else { Err(expired()) }
}
