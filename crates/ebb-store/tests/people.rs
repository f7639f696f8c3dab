//! Who may use a server, and what they hold.

use ebb_core::Code;
use ebb_store::{Database, Guest, Identity, Person, Role, Token};
use jiff::Timestamp;

use crate::home::{Home, on_both_engines};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn person(id: &str, role: Role) -> Person {
    Person {
        id: id.to_owned(),
        email: format!("{id}@example.com"),
        name: id.to_owned(),
        role,
        joined: false,
        linked: false,
        created_at: at(0),
    }
}

/// A database with an owner who has joined.
async fn owned(home: &Home) -> Database {
    let database = home.open();
    database.invite("first", None, at(60)).await.unwrap();
    database.join("first", &person("ada", Role::Owner), "kept", at(1)).await.unwrap();
    database
}

async fn the_first_owner_joins_once(home: Home) {
    let database = owned(&home).await;
    let [ada] = database.people().await.unwrap().try_into().unwrap();
    assert_eq!((ada.email.as_str(), ada.role, ada.joined), ("ada@example.com", Role::Owner, true));
    let again = database.join("first", &person("eve", Role::Owner), "kept", at(2)).await;
    assert_eq!(again.unwrap_err().code, Code::LinkExpired);
    assert_eq!(database.invitation("first", at(2)).await.unwrap(), None);
}

async fn a_link_is_good_for_its_person_its_time_and_until_there_is_another(home: Home) {
    let database = owned(&home).await;
    database.add_person(&person("bo", Role::Viewer)).await.unwrap();
    let known = database.add_person(&person("bo", Role::Viewer)).await.unwrap_err();
    assert_eq!(known.code, Code::ConfigDuplicate);
    database.invite("one", Some("bo"), at(60)).await.unwrap();
    assert_eq!(database.invitation("one", at(60)).await.unwrap(), None, "its time is over");
    let guest = database.invitation("one", at(1)).await.unwrap().unwrap();
    let Guest::Known(whose) = guest else { unreachable!("{guest:?}") };
    assert_eq!(whose.id, "bo");
    let stolen = database.join("one", &person("ada", Role::Owner), "theirs", at(1)).await;
    assert_eq!(stolen.unwrap_err().code, Code::LinkExpired);
    database.invite("two", Some("bo"), at(60)).await.unwrap();
    assert_eq!(database.invitation("one", at(1)).await.unwrap(), None, "another took its place");
    database.join("two", &whose, "kept", at(1)).await.unwrap();
    let (bo, kept) = database.person_with_password("BO@example.com").await.unwrap().unwrap();
    assert_eq!((bo.role, kept.as_str()), (Role::Viewer, "kept"));
    assert_eq!(database.person_with_password("cy@example.com").await.unwrap(), None);
}

async fn sessions_end_by_time_by_leaving_and_with_a_new_password(home: Home) {
    let database = owned(&home).await;
    let whose = async |digest: &str, now| {
        let found = database.session(digest, now).await.unwrap();
        found.map(|(person, ends)| (person.id, ends))
    };
    database.begin_session("s1", "ada", at(0), at(100)).await.unwrap();
    assert_eq!(whose("s1", at(99)).await, Some(("ada".to_owned(), at(100))));
    assert_eq!(whose("s1", at(100)).await, None);
    assert_eq!(whose("s2", at(1)).await, None);
    database.prolong_session("s1", at(200)).await.unwrap();
    assert_eq!(whose("s1", at(100)).await, Some(("ada".to_owned(), at(200))));
    database.end_session("s1").await.unwrap();
    assert_eq!(whose("s1", at(1)).await, None);
    database.begin_session("s3", "ada", at(0), at(100)).await.unwrap();
    database.invite("again", Some("ada"), at(60)).await.unwrap();
    database.join("again", &person("ada", Role::Owner), "new", at(1)).await.unwrap();
    assert_eq!(whose("s3", at(1)).await, None, "who had the old password is out");
}

async fn a_token_is_known_by_its_digest_until_it_ends_or_is_revoked(home: Home) {
    let database = owned(&home).await;
    let token = Token {
        id: "t".to_owned(),
        name: "ci".to_owned(),
        role: Role::Editor,
        person: "ada".to_owned(),
        created_at: at(0),
        expires_at: Some(at(10_000)),
        used_at: None,
    };
    database.add_token(&token, "digest").await.unwrap();
    let (whose, used) = database.use_token("digest", at(1)).await.unwrap().unwrap();
    assert_eq!((whose.id.as_str(), &used), ("ada", &token));
    assert_eq!(database.tokens().await.unwrap()[0].used_at, Some(at(1)));
    database.use_token("digest", at(2)).await.unwrap().unwrap();
    assert_eq!(database.tokens().await.unwrap()[0].used_at, Some(at(1)), "not noted every time");
    assert_eq!(database.use_token("digest", at(10_000)).await.unwrap(), None);
    assert_eq!(database.use_token("other", at(1)).await.unwrap(), None);
    assert_eq!(database.revoke_token("t").await.unwrap().name, "ci");
    assert_eq!(database.use_token("digest", at(1)).await.unwrap(), None);
    assert_eq!(database.revoke_token("t").await.unwrap_err().code, Code::AddressUnknown);
}

async fn there_is_always_an_owner(home: Home) {
    let database = owned(&home).await;
    database.add_person(&person("bo", Role::Owner)).await.unwrap();
    // Who was invited only cannot sign in yet.
    for refused in [
        database.change_person("ada", "ada", Role::Viewer).await,
        database.remove_person("ada").await,
    ] {
        assert_eq!(refused.unwrap_err().code, Code::InUse);
    }
    database.invite("link", Some("bo"), at(60)).await.unwrap();
    database.join("link", &person("bo", Role::Owner), "kept", at(1)).await.unwrap();
    database.begin_session("s", "ada", at(0), at(100)).await.unwrap();
    database.remove_person("ada").await.unwrap();
    assert_eq!(database.session("s", at(1)).await.unwrap(), None, "sessions go with their person");
    assert_eq!(database.people().await.unwrap().len(), 1);
}

fn account(subject: &str) -> Identity {
    Identity { issuer: "https://idp.test".to_owned(), subject: subject.to_owned() }
}

async fn an_account_belongs_to_one_person_who_has_no_other_with_the_provider(home: Home) {
    let database = owned(&home).await;
    database.add_person(&person("bo", Role::Owner)).await.unwrap();
    assert_eq!(database.person_of(&account("1")).await.unwrap(), None);
    database.invite("link", Some("bo"), at(60)).await.unwrap();
    database.link("bo", &account("1"), at(1)).await.unwrap();
    let bo = database.person_of(&account("1")).await.unwrap().unwrap();
    assert_eq!((bo.id.as_str(), bo.joined, bo.linked), ("bo", true, true));
    assert_eq!(database.invitation("link", at(2)).await.unwrap(), None, "it is not needed");
    assert_eq!(database.person_with_password("bo@example.com").await.unwrap(), None);
    for (who, subject) in [("ada", "1"), ("bo", "2")] {
        let refused = database.link(who, &account(subject), at(1)).await.unwrap_err();
        assert_eq!(refused.code, Code::StrangerRefused, "{who} {subject}");
    }
    let elsewhere = Identity { issuer: "https://other.test".to_owned(), ..account("1") };
    database.link("bo", &elsewhere, at(1)).await.unwrap();
    // Who signs in by an account can be the last owner.
    database.change_person("ada", "ada", Role::Viewer).await.unwrap();
    let refused = database.give_role("bo", Role::Viewer).await.unwrap_err();
    assert_eq!(refused.code, Code::InUse);
    database.give_role("ada", Role::Owner).await.unwrap();
    database.remove_person("bo").await.unwrap();
    assert_eq!(database.person_of(&account("1")).await.unwrap(), None);
}

async fn somebody_joins_by_an_account_with_a_link_or_without(home: Home) {
    let database = home.open();
    database.invite("first", None, at(60)).await.unwrap();
    let ada = person("ada", Role::Owner);
    database.join_linked_by("first", &ada, &account("1"), at(1)).await.unwrap();
    let again = database.join_linked_by("first", &ada, &account("1"), at(1)).await;
    assert_eq!(again.unwrap_err().code, Code::LinkExpired);
    let bo = person("bo", Role::Viewer);
    database.join_linked(&bo, &account("2"), at(1)).await.unwrap();
    let known = database.join_linked(&bo, &account("3"), at(1)).await.unwrap_err();
    assert_eq!(known.code, Code::ConfigDuplicate);
    assert_eq!(database.person_of(&account("3")).await.unwrap(), None, "all of it or nothing");
    let found = database.person_with_email("BO@example.com").await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.role), ("bo", Role::Viewer));
}

async fn people_come_by_name_in_the_order_of_its_bytes(home: Home) {
    let database = home.open();
    for name in ["b", "Ä", "a", "B", "_"] {
        let person = Person { name: name.to_owned(), ..person(name, Role::Viewer) };
        database.add_person(&person).await.unwrap();
    }
    let names: Vec<_> =
        database.people().await.unwrap().into_iter().map(|person| person.name).collect();
    assert_eq!(names, ["B", "_", "a", "b", "Ä"]);
}

on_both_engines! {
    people_come_by_name_in_the_order_of_its_bytes,
    the_first_owner_joins_once,
    a_link_is_good_for_its_person_its_time_and_until_there_is_another,
    sessions_end_by_time_by_leaving_and_with_a_new_password,
    a_token_is_known_by_its_digest_until_it_ends_or_is_revoked,
    there_is_always_an_owner,
    an_account_belongs_to_one_person_who_has_no_other_with_the_provider,
    somebody_joins_by_an_account_with_a_link_or_without,
}
