//! Sessions of browsers.

use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use ebb_core::{Code, Failure, Secret, port::Clock};
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};

use super::{Actor, Credential, THEME, digest_of, joining::as_kept, new_token, password};
use crate::app::App;

/// The cookie's name.
const COOKIE: &str = "ebb_session";
/// A session ends after so long without use.
const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A session's end is moved at most so often.
const MOVED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Begins a session; `A603` if nobody is known by this address and password, `A617` where nobody signs in so.
pub(crate) async fn sign_in(
    app: &App,
    email: &str,
    given: String,
) -> Result<Cookie<'static>, Failure> {
    app.takes_passwords()?;
    let found = app.store.person_with_password(&as_kept(email)).await?;
    let (person, kept) = found.unzip();
    let right = password::matches(given, kept).await;
    let Some(person) = person.filter(|_| right) else {
        return Err(Failure::new(Code::SignInRefused, "e-mail address or password is wrong"));
    };
    begin(app, &person.id).await
}

/// Begins a session of a person.
pub(super) async fn begin(app: &App, person: &str) -> Result<Cookie<'static>, Failure> {
    let token = new_token()?;
    let now = SystemClock.now();
    app.store.begin_session(&digest_of(token.expose()), person, now, now + LASTS).await?;
    Ok(cookie(app, &token))
}

/// Ends the session of a request, and gives the cookie that takes its own back.
pub(crate) async fn end_session(
    app: &App,
    cookies: &CookieJar,
) -> Result<Cookie<'static>, Failure> {
    if let Some(token) = cookies.get(COOKIE) {
        app.store.end_session(&digest_of(token.value())).await?;
    }
    let mut gone = cookie(app, &Secret::default());
    gone.make_removal();
    Ok(gone)
}

/// Who sent the cookie of a session.
pub(super) async fn of(
    app: &App,
    cookies: &CookieJar,
    now: Timestamp,
) -> Result<Option<Actor>, Failure> {
    let Some(token) = cookies.get(COOKIE) else { return Ok(None) };
    let digest = digest_of(token.value());
    let Some((person, ends)) = app.store.session(&digest, now).await? else { return Ok(None) };
    if ends.duration_since(now) < LASTS - MOVED_EVERY {
        app.store.prolong_session(&digest, now + LASTS).await?;
    }
    let csrf = digest_of(&format!("form {}", token.value()));
    let role = person.role;
    let theme = match cookies.get(THEME).map(Cookie::value) {
        Some("light") => "light",
        Some("dark") => "dark",
        Some(_) | None => "",
    };
    Ok(Some(Actor { person, role, credential: Credential::Session { csrf }, theme }))
}

fn cookie(app: &App, token: &Secret) -> Cookie<'static> {
    Cookie::build((COOKIE, token.expose().to_owned()))
        .path("/")
        .http_only(true)
        .secure(app.way.is_encrypted())
        .same_site(SameSite::Lax)
        .permanent()
        .build()
}
