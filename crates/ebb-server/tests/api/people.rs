//! Who may do what.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_invited_changed_and_removed() {
    let house = House::new(1, Script::default()).await;
    let me = house.get("/me").await;
    assert_eq!((&me["role"], &me["token"]), (&json!("owner"), &json!("tests")));
    let post = |body: Value| house.api("POST", "/people").json(&body).answer();
    let bob = json!({ "email": "Bob@Example.com", "role": "editor" });
    let invited = post(bob.clone()).await.expect(201);
    assert_eq!(invited["person"]["email"], "bob@example.com");
    let link = invited["link"].as_str().unwrap();
    assert_eq!(house.ask("GET", link).by_nobody().answer().await.status, 200);
    assert_eq!(post(bob).await.refusal(), (409, "C505".to_owned()));
    let refused = post(json!({ "email": "nowhere", "role": "editor" })).await;
    assert_eq!(refused.refusal(), (400, "A610".to_owned()));

    let id = invited["person"]["id"].as_str().unwrap();
    let path = format!("/people/{id}");
    let again = house.api("POST", &format!("{path}/invite")).answer().await.expect(201);
    assert_ne!(again["link"], invited["link"]);
    let body = json!({ "role": "viewer" });
    let changed = house.api("PATCH", &path).json(&body).answer().await.expect(200);
    assert_eq!((&changed["role"], &changed["name"]), (&json!("viewer"), &json!("bob@example.com")));
    let empty = house.api("PATCH", &path).json(&json!({ "name": " " })).answer().await;
    assert_eq!(empty.refusal(), (400, "A610".to_owned()));
    assert_eq!(house.get("/people").await["items"].as_array().unwrap().len(), 2);
    assert_eq!(house.api("DELETE", &path).answer().await.status, 204);
    for (method, path) in [("DELETE", path.clone()), ("POST", format!("{path}/invite"))] {
        assert_eq!(house.api(method, &path).answer().await.refusal(), (404, "A609".to_owned()));
    }
    let ada = format!("/people/{}", me["person"]["id"].as_str().unwrap());
    assert_eq!(house.api("DELETE", &ada).answer().await.refusal(), (409, "A611".to_owned()));
    let demoted = house.api("PATCH", &ada).json(&json!({ "role": "viewer" })).answer().await;
    assert_eq!(demoted.refusal(), (409, "A611".to_owned()));

    let audit = house.get("/audit").await["items"].as_array().unwrap().clone();
    let done: Vec<_> = audit.iter().rev().map(|line| line["action"].as_str().unwrap()).collect();
    let expected = [
        "person.joined",
        "token.created",
        "person.invited",
        "person.invited",
        "person.changed",
        "person.removed",
    ];
    assert_eq!(done, expected);
    assert!(audit[0]["actor"].as_str().unwrap().contains("by token `tests`"));
    let first = house.get("/audit?limit=2").await;
    let rest = format!("/audit?cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(house.get(&rest).await["items"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_tells_who_joined_and_who_has_a_new_password() {
    let house = House::new(1, Script::default()).await;
    let bob = json!({ "email": "bob@example.com", "role": "editor" });
    let invited = house.api("POST", "/people").json(&bob).answer().await.expect(201);
    let again = format!("/people/{}/invite", invited["person"]["id"].as_str().unwrap());
    let use_link = async |link: &Value, name: &str, password: &str| {
        let form = format!("name={name}&password={password}");
        let ask = house.ask("POST", link.as_str().unwrap()).by_nobody();
        ask.text("application/x-www-form-urlencoded", form).answer().await.status
    };
    assert_eq!(use_link(&invited["link"], "Bob", "short").await, 400, "no line for what failed");
    assert_eq!(use_link(&invited["link"], "Bob", "a-long-secret-of-bob").await, 303);
    let link = &house.api("POST", &again).answer().await.expect(201)["link"];
    assert_eq!(use_link(link, "Robert", "another-secret-of-bob").await, 303);

    let audit = house.api("GET", "/audit").answer().await;
    assert!(!audit.text.contains("secret-of-bob"), "{}", audit.text);
    let audit = audit.expect(200);
    let about = |action: &str| -> Vec<Value> {
        let lines = audit["items"].as_array().unwrap().iter();
        let of = lines.filter(|line| line["action"] == action);
        let told = |line: &Value| {
            json!([line["actor"], line["subject"], line["before"]["name"], line["after"]["name"]])
        };
        of.map(told).collect()
    };
    let (ada, bob) = ("ada@example.com", "bob@example.com");
    let joined = [json!([bob, bob, bob, "Bob"]), json!([ada, ada, null, "Ada"])];
    assert_eq!(about("person.joined"), joined);
    assert_eq!(about("person.password_changed"), [json!([bob, bob, "Bob", "Robert"])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_do_no_more_than_who_made_them_and_end() {
    let house = House::new(1, Script::default()).await;
    let editor = house.token("editor").await;
    let viewer = house.token("viewer").await;
    let make = |body: Value| house.api("POST", "/tokens").by(&editor).json(&body).answer();
    assert_eq!(
        make(json!({ "name": "x", "role": "owner" })).await.refusal(),
        (403, "A602".to_owned())
    );
    for body in [
        json!({ "name": " ", "role": "editor" }),
        json!({ "name": "x", "role": "king" }),
        json!({ "name": "x", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z" }),
        json!({ "name": "x", "role": "viewer", "expires_at": "soon" }),
    ] {
        assert_eq!(make(body.clone()).await.refusal(), (400, "A610".to_owned()), "{body}");
    }
    let end = json!({ "name": "x", "role": "viewer", "expires_at": "2999-01-01T00:00:00Z" });
    let made = make(end).await.expect(201);
    let list = house.api("GET", "/tokens").answer().await;
    assert_eq!(list.expect(200)["items"].as_array().unwrap().len(), 4);
    assert!(!list.text.contains(made["token"].as_str().unwrap()), "it is told once");

    for (token, path) in [(&viewer, "/people"), (&editor, "/audit"), (&editor, "/people")] {
        let refused = house.api("GET", path).by(token).answer().await;
        assert_eq!(refused.refusal(), (403, "A602".to_owned()), "{path}");
    }
    assert_eq!(house.api("GET", "/me").by(&viewer).answer().await.expect(200)["role"], "viewer");
    let id = made["id"].as_str().unwrap();
    let path = format!("/tokens/{id}");
    assert_eq!(house.api("DELETE", &path).by(&editor).answer().await.status, 204);
    assert_eq!(house.api("DELETE", &path).answer().await.refusal(), (404, "A609".to_owned()));
    let token = made["token"].as_str().unwrap();
    for ask in [
        house.api("GET", "/me").by(token),
        house.api("GET", "/me").by_nobody(),
        house.api("GET", "/me").by_nobody().with("authorization", "Basic YTpi"),
    ] {
        assert_eq!(ask.answer().await.refusal(), (401, "A601".to_owned()));
    }
}
