//! Signing in by an identity provider.

mod provider;

use std::collections::BTreeMap;

use reqwest::{
    Client, Response, StatusCode,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};

use crate::house::House;
use provider::{Provider, SECRET};

/// A browser that remembers its cookies.
struct Visitor {
    client: Client,
    address: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    fn new(house: &House) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, address: house.address.clone(), cookies: BTreeMap::new() }
    }

    /// A page by its path, or by its whole address.
    async fn get(&mut self, path: &str) -> Response {
        let path = path.strip_prefix(&self.address).unwrap_or(path);
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.get(format!("{}{path}", self.address));
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Begins to sign in: where the provider is asked.
    async fn leave(&mut self, path: &str) -> String {
        location(&self.get(path).await)
    }

    /// Is sent back, and refused with this code; gives the page.
    async fn refused(&mut self, back: &str, code: &str) -> String {
        let answer = self.get(back).await;
        assert_ne!(answer.status(), StatusCode::SEE_OTHER, "{code}");
        assert!(!self.cookies.contains_key("ebb_session"));
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("Help for {code}")), "{code}: {page}");
        page
    }
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// What a project says of this provider.
fn sign_in(provider: &Provider, more: &str) -> String {
    format!(
        "sign_in:\n  oidc:\n    issuer: {}\n    client_id: ebb\n    client_secret: '{SECRET}'\n    label: Example\n{more}",
        provider.address
    )
}

/// A server with an owner by password, and somebody who was invited.
async fn invited() -> (Provider, House) {
    let provider = Provider::start().await;
    let house = House::with(1, &sign_in(&provider, "")).await;
    let wanted = json!({ "email": "bo@example.com", "role": "editor" });
    house.api("POST", "/people").json(&wanted).answer().await.expect(201);
    (provider, house)
}

fn bo() -> Value {
    json!({ "sub": "bo-1", "email": "Bo@Example.com", "name": "Bo" })
}

#[tokio::test]
async fn who_was_invited_signs_in_and_is_known_by_the_account_from_then_on() {
    let (provider, house) = invited().await;
    let mut visitor = Visitor::new(&house);
    let page = visitor.get("/sign-in?next=%2Fsyncs").await.text().await.unwrap();
    assert!(page.contains("Sign in with Example") && page.contains("/sign-in/oidc?next=%2Fsyncs"));
    let asked = visitor.leave("/sign-in/oidc?next=%2Fsyncs").await;
    let back = provider.vouch(&asked, &bo());
    let returned = visitor.get(&back).await;
    assert_eq!(location(&returned), "/syncs");
    assert!(!visitor.cookies.contains_key("ebb_sign_in"), "it was used");
    assert_eq!(visitor.get("/syncs").await.status(), StatusCode::OK);
    let people = house.get("/people").await;
    let known =
        people["items"].as_array().unwrap().iter().find(|one| one["email"] == "bo@example.com");
    assert_eq!(
        (&known.unwrap()["joined"], &known.unwrap()["linked"]),
        (&json!(true), &json!(true))
    );
    assert!(visitor.get("/settings").await.text().await.unwrap().contains("by Example"));
    let audit = house.get("/audit").await;
    let actions: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert!(actions.contains(&&json!("person.linked")), "{actions:?}");
    assert!(actions.contains(&&json!("person.signed_in")), "{actions:?}");
    // The account counts, whatever its address is now.
    let mut later = Visitor::new(&house);
    let asked = later.leave("/sign-in/oidc").await;
    let change = json!({ "sub": "bo-1", "email": "bo@elsewhere.example", "email_verified": false });
    assert_eq!(location(&later.get(&provider.vouch(&asked, &change)).await), "/");
    // And another account with the address does not.
    let mut other = Visitor::new(&house);
    let asked = other.leave("/sign-in/oidc").await;
    let change = json!({ "sub": "bo-2", "email": "bo@example.com" });
    other.refused(&provider.vouch(&asked, &change), "A616").await;
}

#[tokio::test]
async fn what_cannot_be_trusted_lets_nobody_in_and_tells_no_secret() {
    let (provider, house) = invited().await;
    let mut pages = String::new();
    for (changes, code) in [
        (json!({ "nonce": "of another sign-in" }), "A615"),
        (json!({ "aud": "another" }), "A615"),
        (json!({ "exp": 1 }), "A615"),
        (json!({ "iss": "https://elsewhere.example" }), "A615"),
        (json!({ "email_verified": false }), "A616"),
        (json!({ "email_verified": null }), "A616"),
        (json!({ "email": "stranger@example.com" }), "A616"),
    ] {
        let mut visitor = Visitor::new(&house);
        let asked = visitor.leave("/sign-in/oidc").await;
        let mut claims = bo();
        for (key, value) in changes.as_object().unwrap() {
            claims[key] = value.clone();
        }
        pages += &visitor.refused(&provider.vouch(&asked, &claims), code).await;
    }
    let mut visitor = Visitor::new(&house);
    let asked = visitor.leave("/sign-in/oidc").await;
    pages += &visitor.refused(&provider.forge(&asked), "A615").await;
    assert!(
        !pages.contains(SECRET) && !pages.contains("code-") && !pages.contains("eyJ"),
        "{pages}"
    );
}

#[tokio::test]
async fn a_sign_in_ends_where_it_began_and_once() {
    let (provider, house) = invited().await;
    let mut visitor = Visitor::new(&house);
    let asked = visitor.leave("/sign-in/oidc").await;
    let back = provider.vouch(&asked, &bo());
    let mut other = Visitor::new(&house);
    other.refused(&back, "A614").await;
    other.leave("/sign-in/oidc").await;
    other.refused(&back, "A614").await;
    let ticket = visitor.cookies["ebb_sign_in"].clone();
    assert_eq!(location(&visitor.get(&back).await), "/");
    let mut again = Visitor::new(&house);
    again.cookies.insert("ebb_sign_in".to_owned(), ticket);
    again.refused(&back, "A614").await;
    // The provider's own refusals are told in its word, and in no other.
    let mut declined = Visitor::new(&house);
    let asked = declined.leave("/sign-in/oidc").await;
    let state = asked.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let back = format!("/sign-in/oidc/return?error=access_denied<b>&state={state}");
    let page = declined.refused(&back, "A615").await;
    assert!(page.contains("access_denied") && !page.contains("denied<b>"), "{page}");
}

#[tokio::test]
async fn a_key_that_is_new_is_asked_for_and_not_at_each_try() {
    let (provider, house) = invited().await;
    let mut visitor = Visitor::new(&house);
    let asked = visitor.leave("/sign-in/oidc").await;
    location(&visitor.get(&provider.vouch(&asked, &bo())).await);
    provider.rotate("second");
    let mut visitor = Visitor::new(&house);
    let asked = visitor.leave("/sign-in/oidc").await;
    location(&visitor.get(&provider.vouch(&asked, &bo())).await);
    assert_eq!(provider.keys_asked(), 2);
    provider.rotate("third");
    let mut visitor = Visitor::new(&house);
    let asked = visitor.leave("/sign-in/oidc").await;
    visitor.refused(&provider.vouch(&asked, &bo()), "A615").await;
    assert_eq!(provider.keys_asked(), 2, "they were asked for just now");
}

#[tokio::test]
async fn without_passwords_the_first_owner_joins_by_the_provider_too() {
    let provider = Provider::start().await;
    let more = format!("{}  password: false\n", sign_in(&provider, ""));
    let house = House::bare(&more).await;
    let link = house.first_owner.clone().unwrap();
    let mut ada = Visitor::new(&house);
    let page = ada.get(&link).await.text().await.unwrap();
    assert!(!page.contains("type=\"password\""), "{page}");
    let page = ada.get("/sign-in").await.text().await.unwrap();
    assert!(!page.contains("type=\"password\"") && page.contains("Sign in with Example"), "{page}");
    for path in [&*link, "/sign-in"] {
        let form = "email=ada%40example.com&name=Ada&password=correct+horse+battery";
        let kind = "application/x-www-form-urlencoded";
        let refused =
            house.ask("POST", path).by_nobody().text(kind, form.to_owned()).answer().await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.text.contains("A617"), "{path}");
    }
    // Who has no link is nobody yet.
    let asked = ada.leave("/sign-in/oidc").await;
    ada.refused(&provider.vouch(&asked, &json!({})), "A616").await;
    let token = link.strip_prefix("/join/").unwrap();
    let asked = ada.leave(&format!("/sign-in/oidc?link={token}")).await;
    assert_eq!(location(&ada.get(&provider.vouch(&asked, &json!({}))).await), "/");
    let settings = ada.get("/settings").await.text().await.unwrap();
    assert!(settings.contains("ada@example.com") && settings.contains("Invite"), "{settings}");
    assert!(house.restarted().await.first_owner.is_none());
}

#[tokio::test]
async fn new_people_come_in_by_their_domain_and_roles_by_their_groups() {
    let provider = Provider::start().await;
    let more = "    new_people: viewer\n    allowed_domains: [Example.com]\n    \
                roles: { owner: [ebb-admins], editor: [analytics] }\n";
    let house = House::with(1, &sign_in(&provider, more)).await;
    let role = async || {
        let people = house.get("/people").await;
        let items = people["items"].as_array().unwrap().clone();
        let cy = items.into_iter().find(|person| person["email"] == "cy@example.com");
        cy.map(|cy| cy["role"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    for (groups, expected) in [
        (json!([]), "viewer"),
        (json!(["analytics"]), "editor"),
        (json!("ebb-admins"), "owner"),
        (json!(["others", "analytics"]), "editor"),
    ] {
        let mut cy = Visitor::new(&house);
        let asked = cy.leave("/sign-in/oidc").await;
        let claims = json!({ "sub": "cy", "email": "cy@example.com", "groups": groups });
        location(&cy.get(&provider.vouch(&asked, &claims)).await);
        assert_eq!(role().await, expected, "{groups}");
    }
    let mut stranger = Visitor::new(&house);
    let asked = stranger.leave("/sign-in/oidc").await;
    let claims = json!({ "sub": "s", "email": "s@elsewhere.example", "groups": ["analytics"] });
    stranger.refused(&provider.vouch(&asked, &claims), "A616").await;
    // Groups that are not in the token are asked for: the owner by password stays one.
    let mut ada = Visitor::new(&house);
    let asked = ada.leave("/sign-in/oidc").await;
    location(&ada.get(&provider.vouch(&asked, &json!({}))).await);
    assert!(ada.get("/settings").await.text().await.unwrap().contains("Invite"));
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_in_a_page() {
    let (provider, house) = invited().await;
    drop(provider);
    let mut visitor = Visitor::new(&house);
    let answer = visitor.get("/sign-in/oidc").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.text().await.unwrap().contains("A613"));
}
