//! Whom a provider vouches for, as somebody who may use this server.

use ebb_core::{Code, Failure, Role, config::Oidc, port::Clock};
use ebb_store::{Guest, Identity, Person};
use ebb_workspace::SystemClock;
use serde_json::{Value, json};

use super::id_token::Claims;
use crate::{
    access::{address, digest_of, invited},
    app::{App, new_id},
};

/// What a provider says of somebody, as far as it counts here.
#[derive(Debug)]
pub(super) struct Vouched {
    identity: Identity,
    /// The address, if it is verified.
    email: Option<String>,
    name: Option<String>,
    /// The role that a claim gives.
    role: Option<Role>,
}

impl Vouched {
    pub(super) fn new(oidc: &Oidc, claims: &Claims) -> Self {
        let text = |key: &str| claims.get(key).and_then(Value::as_str).map(str::trim);
        // Some providers write it as text.
        let verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            Some(_) | None => oidc.trust_email,
        };
        let email = text("email").filter(|_| verified);
        let name = ["name", "preferred_username"].into_iter().find_map(text);
        let role = oidc.roles.as_ref().and_then(|roles| {
            let values = match claim(claims, &roles.claim) {
                Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
                one => one.and_then(Value::as_str).into_iter().collect::<Vec<_>>(),
            };
            roles.highest(values)
        });
        Self {
            identity: Identity {
                issuer: oidc.issuer.clone(),
                subject: text("sub").unwrap_or_default().to_owned(),
            },
            email: email.and_then(|email| address(email).ok()),
            name: name.filter(|name| !name.is_empty()).map(|name| name.chars().take(100).collect()),
            role,
        }
    }

    fn person(&self, email: String, role: Role) -> Person {
        let name = self.name.clone().unwrap_or_else(|| email.clone());
        let created_at = SystemClock.now();
        Person { id: new_id(), email, name, role, joined: true, linked: true, created_at }
    }
}

/// A claim by its name, or by its path such as `realm_access.roles`.
fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let mut parts = name.split('.');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// Who it is: known by the account, by a link, by the address, or new. `A616` if nobody.
pub(super) async fn admit(
    app: &App,
    oidc: &Oidc,
    vouched: &Vouched,
    link: Option<&str>,
) -> Result<Person, Failure> {
    let person = match (app.store.person_of(&vouched.identity).await?, link) {
        (Some(person), _) => with_role(app, oidc, vouched, person).await?,
        (None, Some(link)) => by_link(app, oidc, vouched, link).await?,
        (None, None) => by_address(app, oidc, vouched).await?,
    };
    let by = json!({ "by": oidc.label });
    app.note_as(&person.email, "person.signed_in", &person.email, [None, Some(by)]).await?;
    Ok(person)
}

async fn by_link(app: &App, oidc: &Oidc, vouched: &Vouched, link: &str) -> Result<Person, Failure> {
    let person = match invited(app, link).await? {
        Guest::Known(person) => with_role(app, oidc, vouched, person).await?,
        Guest::FirstOwner => {
            let email = vouched.email.clone().ok_or_else(no_address)?;
            vouched.person(email, Role::Owner)
        }
    };
    let now = SystemClock.now();
    app.store.join_linked_by(&digest_of(link), &person, &vouched.identity, now).await?;
    note_link(app, oidc, &person).await?;
    Ok(person)
}

async fn by_address(app: &App, oidc: &Oidc, vouched: &Vouched) -> Result<Person, Failure> {
    let email = vouched.email.clone().ok_or_else(no_address)?;
    let now = SystemClock.now();
    let person = if let Some(person) = app.store.person_with_email(&email).await? {
        let person = with_role(app, oidc, vouched, person).await?;
        app.store.link(&person.id, &vouched.identity, now).await?;
        person
    } else {
        let role = role(oidc, vouched.role, None).filter(|_| is_welcome(oidc, &email));
        let role = role.ok_or_else(|| {
            Failure::new(Code::StrangerRefused, format!("nobody was invited as `{email}`"))
        })?;
        let person = vouched.person(email, role);
        app.store.join_linked(&person, &vouched.identity, now).await?;
        person
    };
    note_link(app, oidc, &person).await?;
    Ok(person)
}

async fn note_link(app: &App, oidc: &Oidc, person: &Person) -> Result<(), Failure> {
    let linked = json!({ "provider": oidc.label, "role": person.role });
    app.note_as(&person.email, "person.linked", &person.email, [None, Some(linked)]).await
}

/// The person with the role that the provider decides, if it does.
async fn with_role(
    app: &App,
    oidc: &Oidc,
    vouched: &Vouched,
    person: Person,
) -> Result<Person, Failure> {
    let Some(role) = role(oidc, vouched.role, Some(person.role)) else {
        let message = format!("`{}` is in no group that may use this server", person.email);
        return Err(Failure::new(Code::StrangerRefused, message).help(
            "Ask who runs the identity provider for a group that `sign_in.oidc.roles` names",
        ));
    };
    if role != person.role {
        app.store.give_role(&person.id, role).await?;
        let change = [json!({ "role": person.role }), json!({ "role": role })].map(Some);
        app.note_as(&oidc.label, "person.changed", &person.email, change).await?;
    }
    Ok(Person { role, ..person })
}

/// The role of somebody; `None` if they may not come in.
fn role(oidc: &Oidc, given: Option<Role>, known: Option<Role>) -> Option<Role> {
    let decided = if oidc.roles.is_some() { given } else { known };
    decided.or(oidc.new_people)
}

/// Whether an address is of a domain whose people may come in uninvited.
fn is_welcome(oidc: &Oidc, email: &str) -> bool {
    let domain = email.rsplit_once('@').map(|(_, domain)| domain);
    oidc.allowed_domains.is_empty()
        || oidc.allowed_domains.iter().any(|allowed| Some(allowed.as_str()) == domain)
}

fn no_address() -> Failure {
    let message = "the identity provider gives no address of yours that it has verified";
    Failure::new(Code::StrangerRefused, message).help(
        "Have the address verified there; `trust_email` takes addresses of providers that never say so",
    )
}
