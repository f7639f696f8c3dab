//! People whom an identity provider vouches for.

use ebb_core::{Code, Failure, Role};
use jiff::Timestamp;

use super::{
    Database,
    fault::Fault,
    people::{Link, PERSON, Person, link, one, still_owned},
    sql::{Transaction, params},
};

/// An account with an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What the provider calls itself.
    pub issuer: String,
    /// What it calls the account.
    pub subject: String,
}

impl Database {
    /// Whose account it is, if it is known.
    pub async fn person_of(&self, identity: &Identity) -> Result<Option<Person>, Failure> {
        let Identity { issuer, subject } = identity.clone();
        self.read(move |transaction| {
            let query = "select person from identity where issuer = ?1 and subject = ?2";
            let found: Option<String> =
                transaction.query_optional(query, params![issuer, subject], |row| row.get(0))?;
            let Some(id) = found else { return Ok(None) };
            one(transaction, &format!("{PERSON} where id = ?1"), &id)
        })
        .await
    }

    /// The person with an address.
    pub async fn person_with_email(&self, email: &str) -> Result<Option<Person>, Failure> {
        let email = email.to_lowercase();
        self.read(move |transaction| {
            one(transaction, &format!("{PERSON} where email = ?1"), &email)
        })
        .await
    }

    /// Makes an account that of somebody who is known. `A616` if they have another one with this provider,
    /// or somebody else has this one.
    pub async fn link(
        &self,
        person: &str,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (person, identity) = (person.to_owned(), identity.clone());
        self.write(move |transaction, _| {
            // A link by which they could join is not needed any more.
            transaction.execute("delete from invitation where person = ?1", params![person])?;
            add(transaction, &person, &identity, now)
        })
        .await
    }

    /// Adds somebody who was unknown, with their account. `C505` if the address is known.
    pub async fn join_linked(
        &self,
        person: &Person,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (person, identity) = (person.clone(), identity.clone());
        self.write(move |transaction, _| {
            insert(transaction, &person)?;
            add(transaction, &person.id, &identity, now)
        })
        .await
    }

    /// Uses a link as [`Database::join`] does, by an account instead of a password.
    pub async fn join_linked_by(
        &self,
        digest: &str,
        person: &Person,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (digest, person, identity) = (digest.to_owned(), person.clone(), identity.clone());
        self.write(move |transaction, _| {
            match link(transaction, &digest, now)? {
                Some(Link { person: None }) => insert(transaction, &person)?,
                Some(Link { person: Some(theirs) }) if theirs == person.id => {}
                Some(Link { person: Some(_) }) | None => {
                    let message = "the link was used already or has expired";
                    return Err(Failure::new(Code::LinkExpired, message).into());
                }
            }
            transaction.execute("delete from invitation where digest = ?1", params![digest])?;
            add(transaction, &person.id, &identity, now)
        })
        .await
    }

    /// Gives a person another role, which the provider decides. Refuses (`A611`) to leave the server without
    /// an owner.
    pub async fn give_role(&self, person: &str, role: Role) -> Result<(), Failure> {
        let person = person.to_owned();
        self.write(move |transaction, _| {
            let change = "update person set role = ?2 where id = ?1";
            transaction.execute(change, params![person, role.as_str()])?;
            still_owned(transaction)
        })
        .await
    }
}

fn insert(transaction: &Transaction<'_>, person: &Person) -> Result<(), Fault> {
    let added = transaction.execute(
        "insert into person (id, email, name, role, created_at)
         values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
        params![
            person.id,
            person.email,
            person.name,
            person.role.as_str(),
            person.created_at.as_microsecond()
        ],
    )?;
    if added == 0 {
        let message = format!("`{}` is known already", person.email);
        return Err(Failure::new(Code::ConfigDuplicate, message).into());
    }
    Ok(())
}

fn add(
    transaction: &Transaction<'_>,
    person: &str,
    Identity { issuer, subject }: &Identity,
    now: Timestamp,
) -> Result<(), Fault> {
    let added = transaction.execute(
        "insert into identity (issuer, subject, person, linked_at) values (?1, ?2, ?3, ?4)
         on conflict do nothing",
        params![issuer, subject, person, now.as_microsecond()],
    )?;
    if added == 0 {
        let message = "another account of the identity provider belongs to this person, or this account to somebody else";
        return Err(Failure::new(Code::StrangerRefused, message)
            .help("Ask an owner to remove the person and to invite them again")
            .into());
    }
    Ok(())
}
