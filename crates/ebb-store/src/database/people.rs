//! Who may use a server, and what they hold: sessions, links, API tokens.
//!
//! What people hold is known by a digest alone. Times are told by the caller.

use ebb_core::{Code, Failure, Role};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Database,
    fault::Fault,
    sql::{Row, Transaction, params},
};

/// Somebody who may use the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The identity.
    pub id: String,
    /// The address, in lower case.
    pub email: String,
    /// What to call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have chosen a password, or an identity provider vouched for them.
    pub joined: bool,
    /// Whether an identity provider vouched for them.
    pub linked: bool,
    /// Since when they are known.
    pub created_at: Timestamp,
}

/// A token of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// The identity.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The identity of the person whom it belongs to.
    pub person: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, give or take some minutes.
    pub used_at: Option<Timestamp>,
}

/// Whom a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guest {
    /// Whoever comes first, and becomes the owner.
    FirstOwner,
    /// Somebody who was invited.
    Known(Person),
}

pub(super) const PERSON: &str = "select id, email, name, role, password is not null,
            exists (select 1 from identity where identity.person = person.id), created_at
     from person";
const TOKEN: &str = "select id, name, role, person, created_at, expires_at, used_at from token";

/// A token's use is written at most so often.
const USE_NOTED_EVERY: i64 = 5 * 60 * 1_000_000;

impl Database {
    /// Everybody, by name.
    pub async fn people(&self) -> Result<Vec<Person>, Failure> {
        self.read(|transaction| {
            transaction.query(&format!("{PERSON} order by name, id"), params![], person)
        })
        .await
    }

    /// The person with this identity.
    pub async fn person(&self, id: &str) -> Result<Person, Failure> {
        let id = id.to_owned();
        self.read(move |transaction| {
            one(transaction, &format!("{PERSON} where id = ?1"), &id)?
                .ok_or_else(|| no_such(format!("there is no person `{id}`")))
        })
        .await
    }

    /// Adds a person who has not joined yet. Fails with `C505` if the address is known.
    pub async fn add_person(&self, person: &Person) -> Result<(), Failure> {
        let Person { id, email, name, role, created_at, .. } = person.clone();
        self.write(move |transaction, _| {
            let added = transaction.execute(
                "insert into person (id, email, name, role, created_at)
                 values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                params![id, email, name, role.as_str(), created_at.as_microsecond()],
            )?;
            if added == 0 {
                let message = format!("`{email}` is known already");
                return Err(Failure::new(Code::ConfigDuplicate, message).into());
            }
            Ok(())
        })
        .await
    }

    /// Gives a person another name and role. Refuses (`A611`) to leave the server without an owner.
    pub async fn change_person(&self, id: &str, name: &str, role: Role) -> Result<(), Failure> {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.write(move |transaction, _| {
            let changed = transaction.execute(
                "update person set name = ?2, role = ?3 where id = ?1",
                params![id, name, role.as_str()],
            )?;
            changed_one(changed, &id)?;
            still_owned(transaction)
        })
        .await
    }

    /// Removes a person with all they hold. Refuses (`A611`) to leave the server without an owner.
    pub async fn remove_person(&self, id: &str) -> Result<(), Failure> {
        let id = id.to_owned();
        self.write(move |transaction, _| {
            let removed = transaction.execute("delete from person where id = ?1", params![id])?;
            changed_one(removed, &id)?;
            still_owned(transaction)
        })
        .await
    }

    /// The person with an address, and the digest of their password if they have chosen one.
    pub async fn person_with_password(
        &self,
        email: &str,
    ) -> Result<Option<(Person, String)>, Failure> {
        let email = email.to_lowercase();
        self.read(move |transaction| {
            let found = one(transaction, &format!("{PERSON} where email = ?1"), &email)?;
            let Some(person) = found else { return Ok(None) };
            let query = "select password from person where id = ?1";
            let password: Option<String> =
                transaction.query_row(query, params![person.id], |row| row.get(0))?;
            Ok(password.map(|password| (person, password)))
        })
        .await
    }

    /// Begins a session, and forgets those that have ended.
    pub async fn begin_session(
        &self,
        digest: &str,
        person: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let (digest, person) = (digest.to_owned(), person.to_owned());
        self.write(move |transaction, _| {
            let forget = "delete from session where expires_at < ?1";
            transaction.execute(forget, params![now.as_microsecond()])?;
            transaction.execute(
                "insert into session (digest, person, expires_at) values (?1, ?2, ?3)",
                params![digest, person, expires_at.as_microsecond()],
            )?;
            Ok(())
        })
        .await
    }

    /// Whose session it is, and when it ends; `None` if it has.
    pub async fn session(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<(Person, Timestamp)>, Failure> {
        let digest = digest.to_owned();
        self.read(move |transaction| {
            let query = "select person, expires_at from session where digest = ?1";
            let found: Option<(String, i64)> =
                transaction
                    .query_optional(query, params![digest], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let Some((id, expires_at)) = found else { return Ok(None) };
            let expires_at = moment(expires_at)?;
            let person = one(transaction, &format!("{PERSON} where id = ?1"), &id)?;
            Ok(person.filter(|_| now < expires_at).map(|person| (person, expires_at)))
        })
        .await
    }

    /// Lets a session last longer.
    pub async fn prolong_session(&self, digest: &str, to: Timestamp) -> Result<(), Failure> {
        let digest = digest.to_owned();
        self.write(move |transaction, _| {
            let prolong = "update session set expires_at = ?2 where digest = ?1";
            transaction.execute(prolong, params![digest, to.as_microsecond()])?;
            Ok(())
        })
        .await
    }

    /// Ends a session.
    pub async fn end_session(&self, digest: &str) -> Result<(), Failure> {
        let digest = digest.to_owned();
        self.write(move |transaction, _| {
            transaction.execute("delete from session where digest = ?1", params![digest])?;
            Ok(())
        })
        .await
    }

    /// Makes a link by which a person chooses a password, or, with `None`, the first owner joins. It
    /// takes the place of older ones.
    pub async fn invite(
        &self,
        digest: &str,
        person: Option<&str>,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let (digest, person) = (digest.to_owned(), person.map(str::to_owned));
        self.write(move |transaction, _| {
            let older = "delete from invitation where person is not distinct from ?1";
            transaction.execute(older, params![person])?;
            transaction.execute(
                "insert into invitation (digest, person, expires_at) values (?1, ?2, ?3)",
                params![digest, person, expires_at.as_microsecond()],
            )?;
            Ok(())
        })
        .await
    }

    /// Whom a link is for; `None` if it is no longer good.
    pub async fn invitation(&self, digest: &str, now: Timestamp) -> Result<Option<Guest>, Failure> {
        let digest = digest.to_owned();
        self.read(move |transaction| {
            let Some(link) = link(transaction, &digest, now)? else { return Ok(None) };
            let Some(id) = link.person else { return Ok(Some(Guest::FirstOwner)) };
            Ok(one(transaction, &format!("{PERSON} where id = ?1"), &id)?.map(Guest::Known))
        })
        .await
    }

    /// Uses a link: `person` joins with this password, and all their sessions end. `A605` if the link is
    /// no longer good, or is another person's.
    pub async fn join(
        &self,
        digest: &str,
        person: &Person,
        password: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (digest, password) = (digest.to_owned(), password.to_owned());
        let Person { id, email, name, role, created_at, .. } = person.clone();
        self.write(move |transaction, _| {
            let expired =
                || Failure::new(Code::LinkExpired, "the link was used already or has expired");
            match link(transaction, &digest, now)? {
                Some(Link { person: None }) => {
                    transaction.execute(
                        "insert into person (id, email, name, role, created_at)
                         values (?1, ?2, ?3, ?4, ?5)",
                        params![id, email, name, role.as_str(), created_at.as_microsecond()],
                    )?;
                }
                Some(Link { person: Some(theirs) }) if theirs == id => {}
                Some(Link { person: Some(_) }) | None => return Err(expired().into()),
            }
            transaction.execute("delete from invitation where digest = ?1", params![digest])?;
            transaction.execute("delete from session where person = ?1", params![id])?;
            transaction.execute(
                "update person set name = ?2, password = ?3 where id = ?1",
                params![id, name, password],
            )?;
            Ok(())
        })
        .await
    }

    /// Keeps a token by its digest.
    pub async fn add_token(&self, token: &Token, digest: &str) -> Result<(), Failure> {
        let (token, digest) = (token.clone(), digest.to_owned());
        self.write(move |transaction, _| {
            transaction.execute(
                "insert into token (id, digest, name, role, person, created_at, expires_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    token.id,
                    digest,
                    token.name,
                    token.role.as_str(),
                    token.person,
                    token.created_at.as_microsecond(),
                    token.expires_at.map(Timestamp::as_microsecond),
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// All tokens, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, Failure> {
        self.read(|transaction| {
            transaction.query(&format!("{TOKEN} order by id desc"), params![], token)
        })
        .await
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: &str) -> Result<Token, Failure> {
        let id = id.to_owned();
        self.write(move |transaction, _| {
            let query = format!("{TOKEN} where id = ?1");
            let found = transaction.query_optional(&query, params![id], token)?;
            transaction.execute("delete from token where id = ?1", params![id])?;
            found.ok_or_else(|| no_such(format!("there is no token `{id}`")))
        })
        .await
    }

    /// Whose token it is, if it is good. Notes that it was used.
    pub async fn use_token(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<(Person, Token)>, Failure> {
        let digest = digest.to_owned();
        let found = self
            .read(move |transaction| {
                let query = format!("{TOKEN} where digest = ?1");
                let token = transaction.query_optional(&query, params![digest], token)?;
                let Some(token) = token else { return Ok(None) };
                let person = one(transaction, &format!("{PERSON} where id = ?1"), &token.person)?;
                Ok(person.map(|person| (person, token)))
            })
            .await?;
        let good = |token: &Token| token.expires_at.is_none_or(|end| now < end);
        let Some((person, token)) = found.filter(|(_, token)| good(token)) else { return Ok(None) };
        let now = now.as_microsecond();
        let noted = token.used_at.map_or(0, Timestamp::as_microsecond);
        if now - noted > USE_NOTED_EVERY {
            let id = token.id.clone();
            self.write(move |transaction, _| {
                let note = "update token set used_at = ?2 where id = ?1";
                transaction.execute(note, params![id, now])?;
                Ok(())
            })
            .await?;
        }
        Ok(Some((person, token)))
    }
}

/// A link that is good. Without a person it is the first owner's.
pub(super) struct Link {
    pub(super) person: Option<String>,
}

pub(super) fn link(
    transaction: &Transaction<'_>,
    digest: &str,
    now: Timestamp,
) -> Result<Option<Link>, Fault> {
    transaction.query_optional(
        "select person from invitation where digest = ?1 and expires_at > ?2",
        params![digest, now.as_microsecond()],
        |row| Ok(Link { person: row.get(0)? }),
    )
}

pub(super) fn one(
    transaction: &Transaction<'_>,
    query: &str,
    key: &str,
) -> Result<Option<Person>, Fault> {
    transaction.query_optional(query, params![key], person)
}

fn person(row: &Row<'_>) -> Result<Person, Fault> {
    Ok(Person {
        id: row.get(0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        role: row.get::<&str>(3)?.parse()?,
        joined: row.get::<bool>(4)? || row.get(5)?,
        linked: row.get(5)?,
        created_at: moment(row.get(6)?)?,
    })
}

fn token(row: &Row<'_>) -> Result<Token, Fault> {
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get::<&str>(2)?.parse()?,
        person: row.get(3)?,
        created_at: moment(row.get(4)?)?,
        expires_at: row.get::<Option<i64>>(5)?.map(moment).transpose()?,
        used_at: row.get::<Option<i64>>(6)?.map(moment).transpose()?,
    })
}

pub(super) fn moment(microseconds: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(microseconds).map_err(|error| Fault::Content(error.into()))
}

fn changed_one(changed: u64, id: &str) -> Result<(), Fault> {
    if changed == 0 { Err(no_such(format!("there is no person `{id}`"))) } else { Ok(()) }
}

pub(super) fn still_owned(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let owners = format!("{PERSON} where role = 'owner'");
    if transaction.query(&owners, params![], person)?.iter().any(|owner| owner.joined) {
        return Ok(());
    }
    let message = "the server would have no owner any more";
    Err(Failure::new(Code::InUse, message).help("Make somebody else an owner first").into())
}

fn no_such(message: String) -> Fault {
    Failure::new(Code::AddressUnknown, message).into()
}
