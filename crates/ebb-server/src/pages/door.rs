//! In and out: signing in, joining, signing out. These pages need nobody who is known.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, Uri, header::REFERER},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use ebb_core::Failure;
use ebb_store::Guest;
use serde::Deserialize;
use url::form_urlencoded;

use super::{Form, page};
use crate::{
    access::{Actor, Origin, THEME, end_session, invited, join as use_link, sign_in as begin},
    app::App,
    assets,
    refusal::Refusal,
};

/// What surrounds these pages.
pub(super) struct Bare {
    pub(super) assets: &'static str,
}

pub(super) fn bare() -> Bare {
    Bare { assets: assets::version() }
}

/// How people may sign in.
struct Ways {
    password: bool,
    /// What the identity provider is called, and the address that leads there.
    provider: Option<(String, String)>,
}

impl Ways {
    /// `query` is what the provider's address takes along.
    fn of(app: &App, query: [&str; 2]) -> Self {
        let [key, value] = query;
        let provider = app.gate.as_ref().map(|gate| {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair(key, value).finish();
            (gate.label().to_owned(), format!("/sign-in/oidc?{query}"))
        });
        Self { password: app.takes_passwords().is_ok(), provider }
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Bare,
    ways: Ways,
    next: String,
    email: String,
    failure: Option<Failure>,
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage {
    frame: Bare,
    ways: Ways,
    first: bool,
    email: String,
    name: String,
    failure: Option<Failure>,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    frame: Bare,
    failure: Failure,
}

/// A refusal for somebody who is not known.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let shown = RefusedPage { frame: bare(), failure: refusal.failure() };
    let (status, headers) = refusal.head();
    (status, headers, page(&shown)).into_response()
}

/// The address of the sign-in page that leads back to where somebody wanted to go.
pub(super) fn sign_in_address(uri: &Uri) -> String {
    let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
    format!("/sign-in?{query}")
}

/// A path of this server; `/` for anything else, so that no link leads away from here.
pub(super) fn own_path(wanted: &str) -> &str {
    // Browsers leave out tabs and ends of lines wherever they stand, and take `\` for `/`.
    let misread = |letter: char| letter.is_control() || letter == '\\';
    let own = wanted.starts_with('/') && !wanted.starts_with("//") && !wanted.contains(misread);
    if own { wanted } else { "/" }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

pub(super) async fn show_sign_in(
    State(app): State<Arc<App>>,
    actor: Option<Actor>,
    Query(Wanted { next }): Query<Wanted>,
) -> Result<Response, Refusal> {
    if actor.is_some() {
        return Ok(Redirect::to(own_path(&next)).into_response());
    }
    let (ways, email) = (Ways::of(&app, ["next", &next]), String::new());
    page(&SignInPage { frame: bare(), ways, next, email, failure: None })
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Origin(origin): Origin,
    cookies: CookieJar,
    Form(form): Form<SignInForm>,
) -> Response {
    let tried = match app.throttle.count(origin, &form.email) {
        Ok(()) => begin(&app, &form.email, form.password).await,
        Err(failure) => Err(failure),
    };
    match tried {
        Ok(cookie) => (cookies.add(cookie), Redirect::to(own_path(&form.next))).into_response(),
        Err(failure) => {
            let (status, headers) = Refusal::from(failure.clone()).head();
            let (next, email, failure) = (form.next, form.email, Some(failure));
            let ways = Ways::of(&app, ["next", &next]);
            let shown = SignInPage { frame: bare(), ways, next, email, failure };
            (status, headers, page(&shown)).into_response()
        }
    }
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    cookies: CookieJar,
) -> Result<Response, Refusal> {
    let gone = end_session(&app, &cookies).await?;
    Ok((cookies.add(gone), Redirect::to("/sign-in")).into_response())
}

pub(super) async fn show_join(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let (first, email, name) = match invited(&app, &token).await? {
        Guest::FirstOwner => (true, String::new(), String::new()),
        Guest::Known(person) => (false, person.email, person.name),
    };
    let ways = Ways::of(&app, ["link", &token]);
    page(&JoinPage { frame: bare(), ways, first, email, name, failure: None })
}

#[derive(Deserialize)]
pub(super) struct JoinForm {
    #[serde(default)]
    email: String,
    name: String,
    password: String,
}

pub(super) async fn join(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    cookies: CookieJar,
    Form(JoinForm { email, name, password }): Form<JoinForm>,
) -> Result<Response, Refusal> {
    let first = invited(&app, &token).await? == Guest::FirstOwner;
    match use_link(&app, &token, &email, &name, password).await {
        Ok(cookie) => Ok((cookies.add(cookie), Redirect::to("/")).into_response()),
        Err(failure) => {
            let (status, headers) = Refusal::from(failure.clone()).head();
            let (ways, failure) = (Ways::of(&app, ["link", &token]), Some(failure));
            let shown = JoinPage { frame: bare(), ways, first, email, name, failure };
            Ok((status, headers, page(&shown)).into_response())
        }
    }
}

/// From the system's theme to light, to dark, and back. Leads to the page that the button was on.
pub(super) async fn switch_theme(
    State(app): State<Arc<App>>,
    cookies: CookieJar,
    headers: HeaderMap,
) -> Response {
    let page = headers.get(REFERER).and_then(|page| page.to_str().ok()?.parse::<Uri>().ok());
    let back = page.as_ref().and_then(Uri::path_and_query).map_or("/", |path| path.as_str());
    let next = match cookies.get(THEME).map(Cookie::value) {
        Some("light") => "dark",
        Some("dark") => "",
        Some(_) | None => "light",
    };
    let cookie = Cookie::build((THEME, next))
        .path("/")
        .secure(app.way.is_encrypted())
        .same_site(SameSite::Lax)
        .permanent()
        .build();
    (cookies.add(cookie), Redirect::to(own_path(back))).into_response()
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn no_path_leads_away_however_a_browser_reads_it() {
        for own in ["/", "/syncs?mapping=all", "/models/a-b/edit?x=//y#z", "/name/\u{e4}"] {
            assert_eq!(own_path(own), own);
        }
        for other in [
            "",
            "syncs",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\u{0}/evil.example",
            "/\u{85}/evil.example",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
