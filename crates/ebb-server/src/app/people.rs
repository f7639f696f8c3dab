//! Who may use the server: people and the tokens of their programs. Every change has its line in the audit
//! log.

use ebb_core::{Code, Failure, Secret, port::Clock};
use ebb_store::{Person, Role, Token};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{App, new_id};
use crate::access::{Actor, Credential, address, digest_of, invite, new_token};

impl App {
    /// Invites somebody. Gives the path of the page where they choose a password, which is told once.
    pub(crate) async fn invite(
        &self,
        actor: &Actor,
        email: &str,
        name: Option<&str>,
        role: Role,
    ) -> Result<(Person, String), Failure> {
        actor.must_be(Role::Owner)?;
        let email = address(email)?;
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        let name = name.unwrap_or(&email).to_owned();
        let created_at = SystemClock.now();
        let person =
            Person { id: new_id(), email, name, role, joined: false, linked: false, created_at };
        self.store.add_person(&person).await?;
        let link = invite(&self.store, &person.id).await?;
        self.note_change(actor, "person.invited", &person.email, [None, Some(known(&person))])
            .await?;
        Ok((person, link))
    }

    /// Gives somebody a new link, by which they choose a new password.
    pub(crate) async fn invite_again(
        &self,
        actor: &Actor,
        id: &str,
    ) -> Result<(Person, String), Failure> {
        actor.must_be(Role::Owner)?;
        let person = self.store.person(id).await?;
        let link = invite(&self.store, id).await?;
        self.note(actor, "person.invited", &person.email).await?;
        Ok((person, link))
    }

    /// Gives a person another name or role, and tells them as they are then.
    pub(crate) async fn change_person(
        &self,
        actor: &Actor,
        id: &str,
        name: Option<&str>,
        role: Option<Role>,
    ) -> Result<Person, Failure> {
        actor.must_be(Role::Owner)?;
        let before = self.store.person(id).await?;
        let name = name.map_or(&*before.name, str::trim);
        if name.is_empty() {
            let failure = Failure::new(Code::RequestInvalid, "the name is empty");
            return Err(failure.help("Say what to call them"));
        }
        self.store.change_person(id, name, role.unwrap_or(before.role)).await?;
        let after = self.store.person(id).await?;
        let change = [Some(known(&before)), Some(known(&after))];
        self.note_change(actor, "person.changed", &before.email, change).await?;
        Ok(after)
    }

    /// Removes a person, with their sessions and tokens.
    pub(crate) async fn remove_person(&self, actor: &Actor, id: &str) -> Result<(), Failure> {
        actor.must_be(Role::Owner)?;
        let person = self.store.person(id).await?;
        self.store.remove_person(id).await?;
        let change = [Some(known(&person)), None];
        self.note_change(actor, "person.removed", &person.email, change).await
    }

    /// Makes an API token, and gives it with its value, which is told once. A token that makes another
    /// gives it no later end than its own.
    pub(crate) async fn make_token(
        &self,
        actor: &Actor,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<(Token, Secret), Failure> {
        actor.must_be(role.max(Role::Editor))?;
        let now = SystemClock.now();
        let refused = |what: &str, help: &str| {
            Err(Failure::new(Code::RequestInvalid, what.to_owned()).help(help.to_owned()))
        };
        let name = name.trim().to_owned();
        if name.is_empty() {
            return refused("the token has no name", "Say what it is for");
        }
        if expires_at.is_some_and(|end| end <= now) {
            return refused(
                "the token would have ended already",
                "Give a moment that is still to come",
            );
        }
        let latest = match actor.credential {
            Credential::Token { ends, .. } => ends,
            Credential::Session { .. } => None,
        };
        if let (Some(end), Some(latest)) = (expires_at, latest)
            && end > latest
        {
            return refused(
                "the token would outlive the one that makes it",
                "Give an earlier end, or make it in the page",
            );
        }
        let token = Token {
            id: new_id(),
            name,
            role,
            person: actor.person.id.clone(),
            created_at: now,
            expires_at: expires_at.or(latest),
            used_at: None,
        };
        let value = new_token()?;
        self.store.add_token(&token, &digest_of(value.expose())).await?;
        let change = [None, Some(allowed(&token))];
        self.note_change(actor, "token.created", &token.name, change).await?;
        Ok((token, value))
    }

    /// Revokes a token: one's own, or as an owner anybody's. Who is no owner knows of no token but their
    /// own.
    pub(crate) async fn revoke_token(&self, actor: &Actor, id: &str) -> Result<(), Failure> {
        let mine = |token: &Token| actor.may(Role::Owner) || token.person == actor.person.id;
        let tokens = self.store.tokens().await?;
        if !tokens.iter().any(|token| token.id == id && mine(token)) {
            return Err(Failure::new(Code::AddressUnknown, format!("there is no token `{id}`")));
        }
        let token = self.store.revoke_token(id).await?;
        let change = [Some(allowed(&token)), None];
        self.note_change(actor, "token.revoked", &token.name, change).await
    }
}

fn known(person: &Person) -> Value {
    json!({ "email": person.email, "name": person.name, "role": person.role })
}

fn allowed(token: &Token) -> Value {
    json!({ "name": token.name, "role": token.role, "expires_at": token.expires_at })
}
