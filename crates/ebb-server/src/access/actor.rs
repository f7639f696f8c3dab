//! Who sends a request: by the cookie of a session or by an API token.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Request, State},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::Response,
};
use axum_extra::extract::CookieJar;
use ebb_core::{Code, Failure, port::Clock};
use ebb_store::{Person, Role};
use ebb_workspace::SystemClock;
use jiff::Timestamp;

use super::{digest_of, session};
use crate::{app::App, refusal::Refusal};

/// How somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// By a browser's session; `csrf` is the mark that its forms must bear.
    Session { csrf: String },
    /// By an API token of this name.
    Token { name: String, ends: Option<Timestamp> },
}

/// Somebody who is known.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) person: Person,
    /// What they may do now: a token may allow less than its person's role.
    pub(crate) role: Role,
    pub(crate) credential: Credential,
    /// How pages look to them: `light`, `dark`, or empty for what their system says.
    pub(crate) theme: &'static str,
}

/// The cookie that keeps how pages look.
pub(crate) const THEME: &str = "ebb_theme";

impl Actor {
    /// Fails with `A602` if they may not do what takes this role.
    pub(crate) fn must_be(&self, role: Role) -> Result<(), Failure> {
        if self.role >= role {
            return Ok(());
        }
        let (needed, has) = (role.as_str(), self.role.as_str());
        Err(Failure::new(
            Code::Forbidden,
            format!("this takes the role `{needed}`, and yours is `{has}`"),
        ))
    }

    pub(crate) fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// What the audit log calls them.
    pub(crate) fn told(&self) -> String {
        match &self.credential {
            Credential::Session { .. } => self.person.email.clone(),
            Credential::Token { name, .. } => format!("{} by token `{name}`", self.person.email),
        }
    }

    /// The mark that forms bear; empty for tokens, which need none.
    pub(crate) fn csrf(&self) -> &str {
        match &self.credential {
            Credential::Session { csrf } => csrf,
            Credential::Token { .. } => "",
        }
    }
}

/// Finds out who sends a request, for all that follows. Who is not known goes on as nobody.
pub(crate) async fn identify(
    State(app): State<Arc<App>>,
    cookies: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    match actor(&app, &cookies, request.headers()).await {
        Ok(Some(actor)) => {
            request.extensions_mut().insert(actor);
        }
        Ok(None) => {}
        Err(failure) => {
            request.extensions_mut().insert(failure);
        }
    }
    next.run(request).await
}

async fn actor(
    app: &App,
    cookies: &CookieJar,
    headers: &HeaderMap,
) -> Result<Option<Actor>, Failure> {
    let now = SystemClock.now();
    if let Some(header) = headers.get(AUTHORIZATION) {
        let unknown = || Failure::new(Code::SignedOut, "the API token is not known or has expired");
        let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let token = token.ok_or_else(unknown)?;
        let (person, token) =
            app.store.use_token(&digest_of(token), now).await?.ok_or_else(unknown)?;
        let role = token.role.min(person.role);
        let credential = Credential::Token { name: token.name, ends: token.expires_at };
        return Ok(Some(Actor { person, role, credential, theme: "" }));
    }
    session::of(app, cookies, now).await
}

impl<S: Sync> FromRequestParts<S> for Actor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        if let Some(failure) = parts.extensions.get::<Failure>() {
            return Err(failure.clone().into());
        }
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Failure::new(Code::SignedOut, "nobody is signed in").into())
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
