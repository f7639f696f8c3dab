//! Signing in by an identity provider: OpenID Connect's authorization code flow with PKCE, state and nonce.

mod admission;
mod id_token;
mod keys;
mod provider;
#[cfg(test)]
mod tests;
mod ticket;

use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use ebb_core::{Code, Failure, config::Oidc, port::Clock};
use ebb_workspace::SystemClock;
use serde::Deserialize;

use super::{digest_of, new_token, session};
use crate::app::App;
use admission::{Vouched, admit};
use provider::{Provider, word};
use ticket::{Desk, Ticket};

/// The cookie in which a browser keeps its ticket, on the way to the provider and back.
const COOKIE: &str = "ebb_sign_in";
/// Where the cookie goes.
const PATH: &str = "/sign-in/oidc";
/// A longer way back would not fit into a cookie.
const LONGEST_NEXT: usize = 1000;

/// The provider by whom people sign in.
pub(crate) struct Gate {
    provider: Provider,
    desk: Desk,
}

/// What a provider's answer brings, by way of the browser.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    /// Who answers (RFC 9207), where the provider says it.
    iss: Option<String>,
}

impl Gate {
    /// A gate at which nobody was asked yet.
    pub(crate) fn new(oidc: Oidc) -> Result<Self, Failure> {
        Ok(Self { provider: Provider::new(oidc), desk: Desk::new()? })
    }

    /// What people call the provider.
    pub(crate) fn label(&self) -> &str {
        &self.provider.oidc.label
    }

    /// The provider's address that the browser is sent to, with the cookie that it takes along. `link` is the
    /// token of the link by which somebody joins.
    pub(crate) async fn begin(
        &self,
        app: &App,
        next: &str,
        link: Option<String>,
    ) -> Result<(Cookie<'static>, String), Failure> {
        let now = SystemClock.now();
        let known = self.provider.known(now).await?;
        let random = || Ok::<_, Failure>(new_token()?.expose().to_owned());
        let next = if next.len() > LONGEST_NEXT { "/" } else { next };
        let parts = [random()?, random()?, random()?];
        let ticket = Ticket::new(parts, next.to_owned(), link, now);
        let mut address = known.metadata.entrance()?;
        let Oidc { client_id, scopes, .. } = &self.provider.oidc;
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", &back(app))
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &ticket.state)
            .append_pair("nonce", &ticket.nonce)
            .append_pair("code_challenge", &digest_of(&ticket.verifier))
            .append_pair("code_challenge_method", "S256");
        Ok((cookie(app, self.desk.seal(&ticket)?), address.into()))
    }

    /// Begins a session of whom the provider vouches for; gives its cookie, and where in this server the
    /// browser wanted to go.
    pub(crate) async fn end(
        &self,
        app: &App,
        cookies: &CookieJar,
        answer: Answer,
    ) -> Result<(Cookie<'static>, String), Failure> {
        let now = SystemClock.now();
        let sealed = cookies.get(COOKIE).map(Cookie::value);
        let ticket = self.desk.take(sealed, &answer.state, now)?;
        let oidc = &self.provider.oidc;
        if answer.iss.is_some_and(|issuer| issuer != oidc.issuer) {
            let message = "another provider than the one that was asked answers";
            return Err(Failure::new(Code::IdentityRefused, message));
        }
        let Some(code) = answer.code else {
            let error = word(&answer.error.unwrap_or_default());
            let message = format!("`{}` did not sign you in: `{error}`", oidc.label);
            return Err(Failure::new(Code::IdentityRefused, message));
        };
        let known = self.provider.known(now).await?;
        let back = back(app);
        let exchanged = self.provider.exchange(&known.metadata, &code, &ticket.verifier, &back);
        let granted = exchanged.await?;
        let claims = self.provider.claims(known, &granted, &ticket.nonce, now).await?;
        let vouched = Vouched::new(oidc, &claims);
        let person = admit(app, oidc, &vouched, ticket.link.as_deref()).await?;
        Ok((session::begin(app, &person.id).await?, ticket.next))
    }

    /// The cookie that takes a ticket back.
    pub(crate) fn used(app: &App) -> Cookie<'static> {
        let mut gone = cookie(app, String::new());
        gone.make_removal();
        gone
    }
}

/// Where the provider sends browsers back to.
fn back(app: &App) -> String {
    format!("{}{PATH}/return", app.url())
}

fn cookie(app: &App, value: String) -> Cookie<'static> {
    Cookie::build((COOKIE, value))
        .path(PATH)
        .http_only(true)
        .secure(app.way.is_encrypted())
        // The browser comes back from another site.
        .same_site(SameSite::Lax)
        .build()
}
