//! Links by which people join: the first owner, and those who are invited.

use axum_extra::extract::cookie::Cookie;
use ebb_core::{Code, Failure, port::Clock};
use ebb_store::{Database, Guest, Person, Role};
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{digest_of, new_token, password, session};
use crate::app::{App, new_id};

/// So long an invitation is good.
const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The path of a link by which the first owner joins; `None` if somebody has joined already.
pub(crate) async fn first_owner(
    store: &Database,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let owns = |person: &Person| person.joined && person.role == Role::Owner;
    if store.people().await?.iter().any(owns) {
        return Ok(None);
    }
    let token = new_token()?;
    store.invite(&digest_of(token.expose()), None, now + LASTS).await?;
    Ok(Some(format!("/join/{}", token.expose())))
}

/// The path of a link by which a person chooses a password.
pub(crate) async fn invite(store: &Database, person: &str) -> Result<String, Failure> {
    let token = new_token()?;
    let end = SystemClock.now() + LASTS;
    store.invite(&digest_of(token.expose()), Some(person), end).await?;
    Ok(format!("/join/{}", token.expose()))
}

/// Whom a link is for; `A605` if it is no longer good.
pub(crate) async fn invited(app: &App, token: &str) -> Result<Guest, Failure> {
    let found = app.store.invitation(&digest_of(token), SystemClock.now()).await?;
    found.ok_or_else(|| Failure::new(Code::LinkExpired, "the link was used already or has expired"))
}

/// Uses a link, and begins a session: somebody joins, or has a new password. `A617` where nobody signs in by a
/// password.
pub(crate) async fn join(
    app: &App,
    token: &str,
    email: &str,
    name: &str,
    given: String,
) -> Result<Cookie<'static>, Failure> {
    app.takes_passwords()?;
    let now = SystemClock.now();
    let name = name.trim();
    if name.is_empty() {
        return Err(
            Failure::new(Code::RequestInvalid, "the name is empty").help("Say what to call you")
        );
    }
    let guest = invited(app, token).await?;
    let before = match &guest {
        Guest::Known(person) => Some(person.clone()),
        Guest::FirstOwner => None,
    };
    let person = match guest {
        Guest::Known(person) => Person { name: name.to_owned(), ..person },
        Guest::FirstOwner => Person {
            id: new_id(),
            email: address(email)?,
            name: name.to_owned(),
            role: Role::Owner,
            joined: true,
            linked: false,
            created_at: now,
        },
    };
    let kept = password::digest(given).await?;
    app.store.join(&digest_of(token), &person, &kept, now).await?;
    note(app, before.as_ref(), &person).await?;
    session::begin(app, &person.id).await
}

/// Whoever holds a link acts by it, so that the audit log tells when a person came to be known by a password, or by
/// another one.
async fn note(app: &App, before: Option<&Person>, person: &Person) -> Result<(), Failure> {
    let again = before.is_some_and(|person| person.joined);
    let action = if again { "person.password_changed" } else { "person.joined" };
    let told = |person: &Person| json!({ "name": person.name, "role": person.role });
    let change = [before.map(told), Some(told(person))];
    app.note_as(&person.email, action, &person.email, change).await
}

/// What somebody typed as their e-mail address, written as it would be kept.
pub(super) fn as_kept(text: &str) -> String {
    text.trim().to_lowercase()
}

/// An e-mail address as it is kept. Whether it exists shows when something is sent to it.
pub(crate) fn address(text: &str) -> Result<String, Failure> {
    let text = as_kept(text);
    let fine =
        text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
            && !text.contains(char::is_whitespace);
    if fine {
        return Ok(text);
    }
    Err(Failure::new(Code::RequestInvalid, format!("`{text}` is not an e-mail address"))
        .help("Write it as `ada@example.com`"))
}
