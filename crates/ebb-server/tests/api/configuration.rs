//! Sources, models, destinations and mappings.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::{FILE_SECRET, House};

/// A model that reads the project's source.
fn model(query: &str) -> Value {
    json!({ "source": "db", "id": "id", "query": query })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_made_read_replaced_and_removed() {
    let house = House::new(1, Script::default()).await;
    let new = json!({ "name": "names", "document": model("select id, name from people") });
    let made = house.api("POST", "/models").json(&new).answer().await;
    assert_eq!((made.status, made.location.as_str()), (201, "/api/v1/models/names"));
    let read = house.api("GET", "/models/names").answer().await;
    assert_eq!(read.etag, made.etag);
    let version: i64 = made.etag.trim_matches('"').parse().unwrap();
    let expected = json!({
        "name": "names", "from_files": false, "version": version,
        "document": model("select id, name from people"), "secrets": [],
    });
    assert_eq!((read.json(), made.json()), (expected.clone(), expected));

    let other = model("select id, '${env:HOME}' as home from people");
    let replace = || house.api("PUT", "/models/names").json(&other);
    assert_eq!(replace().answer().await.refusal(), (428, "A612".to_owned()));
    let stale = replace().with("if-match", "\"4711\"").answer().await;
    assert_eq!(stale.refusal(), (412, "A607".to_owned()));
    let strange = replace().with("if-match", "*").answer().await;
    assert_eq!(strange.refusal(), (412, "A607".to_owned()));
    let replaced = replace().with("if-match", &made.etag).answer().await;
    assert_eq!(replaced.expect(200)["document"], other, "texts are meant as they are");
    assert_ne!(replaced.etag, made.etag);

    let remove = || house.api("DELETE", "/models/names");
    assert_eq!(remove().answer().await.refusal(), (428, "A612".to_owned()));
    let stale = remove().with("if-match", &made.etag).answer().await;
    assert_eq!(stale.refusal(), (412, "A607".to_owned()));
    let removed = remove().with("if-match", &replaced.etag).answer().await;
    assert_eq!((removed.status, removed.text.as_str()), (204, ""));
    let gone = house.api("GET", "/models/names").answer().await;
    assert_eq!(gone.refusal(), (404, "A609".to_owned()));
    let gone = replace().with("if-match", "\"1\"").answer().await;
    assert_eq!(gone.refusal(), (404, "A609".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_from_files_is_shown_without_secrets_and_is_not_changed() {
    let house = House::new(1, Script::default()).await;
    let hook = house.api("GET", "/destinations/hook").answer().await;
    let expected = json!({
        "name": "hook", "from_files": true, "version": null,
        "document": { "kind": "webhook", "settings": {} }, "secrets": ["sharedSecret"],
    });
    assert_eq!((hook.expect(200), hook.etag.as_str()), (expected, ""));
    assert!(!hook.text.contains(FILE_SECRET));
    for section in ["sources/db", "models/people", "destinations/hook", "mappings/all"] {
        let path = format!("/{section}");
        let removed = house.api("DELETE", &path).with("if-match", "\"1\"").answer().await;
        assert_eq!(removed.refusal(), (409, "A608".to_owned()), "{section}");
        let document = house.get(&path).await["document"].clone();
        let put = house.api("PUT", &path).with("if-match", "\"1\"").json(&document).answer().await;
        assert_eq!(put.refusal(), (409, "A608".to_owned()), "{section}");
    }
    let again = json!({ "name": "people", "document": model("select 1 as id") });
    let again = house.api("POST", "/models").json(&again).answer().await;
    assert_eq!(again.refusal(), (409, "A608".to_owned()));
    let disabled = house.api("POST", "/mappings/all/disable").answer().await;
    assert_eq!(disabled.refusal(), (409, "A608".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_written_kept_and_removed_but_never_read() {
    let house = House::new(1, Script::default()).await;
    let document =
        json!({ "kind": "webhook", "settings": { "sharedSecret": "hunter2-of-the-page" } });
    let new = json!({ "name": "tool", "document": document });
    let made = house.api("POST", "/destinations").json(&new).answer().await;
    assert_eq!(made.expect(201)["secrets"], json!(["sharedSecret"]));
    assert_eq!(made.json()["document"], json!({ "kind": "webhook", "settings": {} }));
    let put = |tag: String, document: Value| {
        house.api("PUT", "/destinations/tool").with("if-match", tag).json(&document).answer()
    };
    let kept = put(made.etag.clone(), json!({ "kind": "webhook" })).await;
    assert_eq!(kept.expect(200)["secrets"], json!(["sharedSecret"]));
    let gone = json!({ "kind": "webhook", "settings": { "sharedSecret": null } });
    let removed = put(kept.etag.clone(), gone).await;
    assert_eq!(removed.expect(200)["secrets"], json!([]));
    let audit = house.api("GET", "/audit").answer().await;
    assert!(audit.text.contains(r#""sharedSecret":"changed""#), "{}", audit.text);
    for answer in [made, kept, removed, audit] {
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_come_piece_by_piece() {
    let house = House::new(1, Script::default()).await;
    for name in ["a", "b", "q"] {
        let new = json!({ "name": name, "document": model("select 1 as id") });
        house.api("POST", "/models").json(&new).answer().await.expect(201);
    }
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = house.get("/models?limit=3").await;
    assert_eq!(names(&first), ["a", "b", "people"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = house.get(&format!("/models?limit=3&cursor={cursor}")).await;
    assert_eq!((names(&last), &last["next_cursor"]), (vec!["q".to_owned()], &Value::Null));
    for query in ["limit=0", "limit=201", "limit=many", "limit=-1", "size=3"] {
        let refused = house.api("GET", &format!("/models?{query}")).answer().await;
        assert_eq!(refused.refusal(), (400, "A610".to_owned()), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let house = House::new(1, Script::default()).await;
    let post = |body: &str| {
        house.api("POST", "/models").text("application/json", body.to_owned()).answer()
    };
    for body in ["", "{", "[]", "null", r#"{"name":"a"}"#, r#"{"name":"a","document":{},"more":1}"#]
    {
        assert_eq!(post(body).await.refusal(), (400, "A610".to_owned()), "{body}");
    }
    let form = house.api("POST", "/models").text("text/plain", "{}".to_owned()).answer().await;
    assert_eq!(form.refusal(), (400, "A610".to_owned()));
    let unknown =
        post(r#"{"name":"a","document":{"source":"db","id":"id","qerry":"select 1"}}"#).await;
    assert_eq!(unknown.status, 422, "{unknown:?}");
    let errors = unknown.json()["errors"].as_array().unwrap().clone();
    assert!(errors.iter().any(|error| error["code"] == "C503"), "{errors:?}");
    assert!(errors.iter().all(|error| error["path"].as_str().unwrap().starts_with("models.a")));
    let name =
        post(r#"{"name":"../a","document":{"source":"db","id":"id","query":"select 1"}}"#).await;
    assert_eq!(name.status, 422, "{name:?}");
    for path in ["/models/%ff", "/models/a/b/c", "/nothing"] {
        let refused = house.api("GET", path).answer().await;
        assert!(matches!(refused.refusal().0, 400 | 404), "{path}");
    }
    assert_eq!(house.api("PATCH", "/models").answer().await.refusal(), (405, "A609".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_needed_stays_and_a_made_mapping_is_switched() {
    let house = House::new(1, Script::default()).await;
    let new = json!({ "name": "mine", "document": model("select id, name from people") });
    let made = house.api("POST", "/models").json(&new).answer().await;
    let fields = json!({ "url": house.receiver.url("/mine") });
    let mapping = json!({
        "model": "mine", "destination": "hook", "action": "send", "fields": fields, "enabled": false,
    });
    let new = json!({ "name": "own", "document": mapping });
    house.api("POST", "/mappings").json(&new).answer().await.expect(201);
    let needed = house.api("DELETE", "/models/mine").with("if-match", made.etag).answer().await;
    assert_eq!(needed.refusal(), (409, "A611".to_owned()));
    let off = house.get("/mappings/own/outlook").await;
    assert_eq!(off, json!({ "state": "idle", "why": "switched_off" }));
    let start = || house.api("POST", "/mappings/own/syncs").json(&json!({ "kind": "sync" }));
    assert_eq!(start().answer().await.refusal(), (422, "M306".to_owned()));
    let on = house.api("POST", "/mappings/own/enable").answer().await.expect(200);
    assert_eq!(on["document"]["enabled"], true);
    assert_eq!(house.get("/mappings/own/outlook").await["why"], "manual");
    let off = house.api("POST", "/mappings/own/disable").answer().await.expect(200);
    assert_eq!(off["document"]["enabled"], false);
    let absent = house.api("POST", "/mappings/none/enable").answer().await;
    assert_eq!(absent.refusal(), (404, "A609".to_owned()));
    let action = json!({ "name": "x", "document": {
        "model": "mine", "destination": "hook", "action": "fly",
    } });
    let refused = house.api("POST", "/mappings").json(&action).answer().await;
    assert_eq!(refused.refusal(), (422, "M304".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_that_could_not_sync_is_kept_only_while_it_is_off() {
    let house = House::new(1, Script::default()).await;
    let make = |fields: Value, enabled: bool| {
        let document = json!({ "model": "people", "destination": "hook", "action": "send",
            "fields": fields, "enabled": enabled });
        house.api("POST", "/mappings").json(&json!({ "name": "odd", "document": document }))
    };
    let refused = make(json!({ "url": { "@pth": "$.x" } }), true).answer().await;
    assert_eq!(refused.refusal(), (422, "M301".to_owned()));
    let misspelt = json!({ "btch_size": 1, "url": "http://127.0.0.1:9/" });
    let refused = make(misspelt.clone(), true).answer().await.expect(422);
    let told = &refused["errors"][0];
    assert_eq!((&told["path"], &told["code"]), (&"mappings.odd.fields".into(), &"M305".into()));
    assert!(told["remedy"].as_str().is_some_and(|it| it.contains("Did you mean `batch_size`?")));
    make(misspelt.clone(), false).answer().await.expect(201);
    let edit = json!({ "model": "people", "destination": "hook", "action": "send",
        "fields": misspelt });
    let effects = house.api("POST", "/mappings/odd/effect").json(&edit).answer().await;
    assert_eq!(effects.refusal(), (422, "M305".to_owned()));
    let on = house.api("POST", "/mappings/odd/enable").answer().await;
    assert_eq!(on.refusal(), (422, "M305".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_named_as_the_page_on_which_it_is_made() {
    let house = House::new(1, Script::default()).await;
    let mapping = json!({ "model": "people", "destination": "hook", "action": "send",
        "fields": { "url": "http://127.0.0.1:9/all" } });
    let email = json!({ "host": "smtp.test", "from": "a@b.test", "to": "c@d.test" });
    for (section, document) in [
        ("sources", json!({ "kind": "sqlite", "settings": { "path": "shop.db" } })),
        ("models", model("select id from people")),
        ("destinations", json!({ "kind": "webhook" })),
        ("mappings", mapping),
        ("channels", json!({ "kind": "email", "settings": email })),
        ("alert_rules", json!({ "when": ["failed"] })),
    ] {
        let new = |name: &str| json!({ "name": name, "document": document });
        let make = |name: &str| house.api("POST", &format!("/{section}")).json(&new(name)).answer();
        let refused = make("new").await;
        assert_eq!(refused.refusal(), (422, "C504".to_owned()), "{section}: {refused:?}");
        let detail = &refused.json()["errors"][0]["detail"];
        let detail = detail.as_str().unwrap();
        assert!(detail.starts_with("`new` cannot be the name of a"), "{section}: {detail}");
        make("newer").await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_too_large_is_refused_as_the_description_says() {
    let house = House::new(1, Script::default()).await;
    let document = model(&"x".repeat(2 * 1024 * 1024));
    let described = house.get("/openapi.json").await;
    for (method, path, place, body) in [
        ("POST", "/models", "/models", json!({ "name": "large", "document": document })),
        ("PUT", "/models/people", "/models/{name}", document.clone()),
    ] {
        let ask = house.api(method, path).with("if-match", "\"1\"").json(&body);
        let refused = ask.answer().await;
        assert_eq!(refused.refusal(), (413, "A618".to_owned()), "{method} {path}");
        assert_eq!(refused.json()["detail"], "the request has more than 2048 KiB");
        let operation = &described["paths"][format!("/api/v1{place}")][method.to_lowercase()];
        let answer = &operation["responses"]["413"]["content"]["application/problem+json"];
        assert!(answer.is_object(), "{operation}");
    }
    let reads = &described["paths"]["/api/v1/models"]["get"]["responses"];
    assert!(reads.get("413").is_none(), "what brings nothing is never too large");
}
