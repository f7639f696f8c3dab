//! What is tried before it is kept: connections, payloads, suggestions, test records.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::{FILE_SECRET, House};

/// The file's mapping, and the same with other fields.
async fn mapping(house: &House, fields: Value) -> Value {
    let mut document = house.get("/mappings/all").await["document"].clone();
    let url = document["fields"]["url"].clone();
    document["fields"] = fields;
    document["fields"]["url"] = url;
    document
}

async fn preview(house: &House, document: &Value, record: Option<&str>) -> Value {
    let body = json!({ "document": document, "record_id": record });
    house.api("POST", "/drafts/mapping/preview").json(&body).answer().await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payload_of_a_record_is_shown_and_nothing_is_sent() {
    let house = House::new(30, Script::default()).await;
    let greeting = json!({ "data": { "greeting": { "@template": "Hello {{properties.name}}" } } });
    let document = mapping(&house, greeting).await;
    for (record, name) in [(None, "person 1"), (Some("2"), "person 2"), (Some("27"), "person 27")] {
        let shown = preview(&house, &document, record).await;
        assert_eq!(shown["payload"]["data"], json!({ "greeting": format!("Hello {name}") }));
        assert_eq!(shown["requests"][0]["method"], "POST", "{shown}");
        assert_eq!(shown["failures"], json!([]));
        assert_eq!(shown["record_id"], record.unwrap_or("1"));
    }
    let kept = house.api("POST", "/mappings/all/preview?record_id=3").answer().await;
    assert_eq!(kept.expect(200)["record_id"], "3");
    assert!(!kept.text.contains(FILE_SECRET), "{}", kept.text);
    let first = house.api("POST", "/mappings/all/preview").answer().await.expect(200);
    assert_eq!(first["record_id"], "1");
    assert_eq!(house.receiver.record_count(), 0);
    let audit = house.api("GET", "/audit").answer().await.text;
    assert!(!audit.contains("record.tested"), "{audit}");

    let unsent = mapping(&house, json!({ "method": { "@path": "$.properties.name" } })).await;
    let shown = preview(&house, &unsent, None).await;
    assert_eq!(shown["requests"], json!([]), "{shown}");
    assert_eq!(shown["failures"][0]["field"], "method", "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_draft_is_refused_and_so_are_records_that_are_not_there() {
    let house = House::new(2, Script::default()).await;
    let document = mapping(&house, json!({})).await;
    let mut wrong = document.clone();
    wrong["action"] = json!("fly");
    let ask = |body: Value| house.api("POST", "/drafts/mapping/preview").json(&body).answer();
    let refused = ask(json!({ "document": wrong })).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let gone = json!({ "document": document, "record_id": "99" });
    assert_eq!(ask(gone.clone()).await.refusal(), (422, "R418".to_owned()));
    let strange = json!({ "document": document, "name": "nobody" });
    assert_eq!(ask(strange).await.refusal(), (404, "A609".to_owned()));
    let file = json!({ "document": document, "name": "all" });
    assert_eq!(ask(file).await.refusal(), (409, "A608".to_owned()));
    let unsent = house.api("POST", "/drafts/mapping/test-record").json(&gone).answer().await;
    assert_eq!(unsent.refusal(), (422, "R418".to_owned()));
    let gone = house.api("POST", "/mappings/all/preview?record_id=99").answer().await;
    assert_eq!(gone.refusal(), (422, "R418".to_owned()));
    let nobody = house.api("POST", "/mappings/none/preview").answer().await;
    assert_eq!(nobody.refusal(), (404, "A609".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_suggested_by_name_and_type() {
    let house = House::new(1, Script::default()).await;
    let query = "select id, 'https://example.com' as \"URL\", 7 as \"Batch Size\" from people";
    let new = json!({ "name": "told", "document": { "source": "db", "id": "id", "query": query } });
    house.api("POST", "/models").json(&new).answer().await.expect(201);
    let ask = |body: Value| house.api("POST", "/drafts/mapping/suggestions").json(&body).answer();
    let ends = json!({ "model": "told", "destination": "hook", "action": "send" });
    let found = ask(ends.clone()).await.expect(200);
    // The default of `batch_size` holds.
    let url = json!({
        "field": "url", "column": "URL", "why": "key", "value": { "@path": "$.properties.URL" },
    });
    assert_eq!(found["items"], json!([url]));
    let mut said = ends.clone();
    said["fields"] = json!({ "url": "https://example.com" });
    assert_eq!(ask(said).await.expect(200)["items"], json!([]));
    for (key, value, expected) in [
        ("model", "none", (404, "A609")),
        ("destination", "none", (404, "A609")),
        ("action", "fly", (422, "M304")),
    ] {
        let mut other = ends.clone();
        other[key] = json!(value);
        let (status, code) = expected;
        assert_eq!(ask(other).await.refusal(), (status, code.to_owned()), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_tested_before_they_are_kept() {
    let house = House::new(1, Script::default()).await;
    let ask = |path: &str, body: Value| house.api("POST", path).json(&body).answer();
    let source =
        |path: &str| json!({ "document": { "kind": "sqlite", "settings": { "path": path } } });
    let works = ask("/drafts/source/check", source("shop.db")).await.expect(200);
    assert_eq!(works["ok"], true, "{works}");
    assert!(works["steps"].as_array().unwrap().len() > 2, "{works}");
    let gone = ask("/drafts/source/check", source("gone.db")).await.expect(200);
    assert_eq!(
        (&gone["ok"], &gone["steps"][0]["failure"]["code"]),
        (&json!(false), &json!("S112"))
    );
    let outside = ask("/drafts/source/check", source("/etc/passwd")).await;
    assert_eq!(outside.refusal(), (422, "C504".to_owned()));

    let hook = json!({ "kind": "webhook", "settings": { "sharedSecret": "hunter2-of-the-draft" } });
    let hook = ask("/drafts/destination/check", json!({ "document": hook })).await;
    assert_eq!(hook.expect(200)["ok"], true, "{hook:?}");
    let unknown = json!({ "document": { "kind": "pigeon" } });
    assert_eq!(ask("/drafts/destination/check", unknown).await.status, 422);

    let url = house.receiver.url("/ops");
    let channel = |url: &str| json!({ "kind": "webhook", "settings": { "url": url } });
    let told = ask("/drafts/channel/test", json!({ "document": channel(&url) })).await;
    assert_eq!(told.expect(200)["steps"][0]["what"], "test alert", "{told:?}");
    assert_eq!(told.json()["ok"], true, "{told:?}");
    assert!(house.receiver.requests().iter().any(|request| request.path == "/ops"));

    // What is kept already lends the secrets that are left out.
    let kept = json!({ "name": "ops", "document": channel(&url) });
    house.api("POST", "/channels").json(&kept).answer().await.expect(201);
    let lent = json!({ "name": "ops", "document": { "kind": "webhook" } });
    assert_eq!(ask("/drafts/channel/test", lent).await.expect(200)["ok"], true);
    let nobody = json!({ "name": "none", "document": { "kind": "webhook" } });
    assert_eq!(ask("/drafts/channel/test", nobody).await.refusal(), (404, "A609".to_owned()));
    for section in ["sources", "destinations"] {
        let items = house.get(&format!("/{section}")).await["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), 1, "nothing of a draft is kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_that_is_switched_off_sends_test_records_each_once_by_its_key() {
    let house = House::new(3, Script::default()).await;
    let mut off = mapping(&house, json!({})).await;
    off["enabled"] = json!(false);
    let new = json!({ "name": "off", "document": off });
    house.api("POST", "/mappings").json(&new).answer().await.expect(201);
    let test = |path: &str, key: &str, body: Value| {
        house.api("POST", path).with("idempotency-key", key).json(&body).answer()
    };
    let record = |id: &str| json!({ "record_id": id });
    let kept = "/mappings/off/test-record";
    let first = test(kept, "a", record("1")).await.expect(200);
    assert_eq!(first["delivered"], true, "{first}");
    assert_eq!(test(kept, "a", record("1")).await.expect(200), first);
    assert_eq!(house.receiver.requests().len(), 1, "the same key sends nothing again");
    let other = test(kept, "a", record("2")).await;
    assert_eq!(other.refusal(), (400, "A610".to_owned()), "another request under the same key");
    // What was refused was not done, and may be asked again.
    assert_eq!(test(kept, "b", record("9")).await.refusal(), (422, "R418".to_owned()));
    house.sql("insert into people values (9, 'late', 1)");
    assert_eq!(test(kept, "b", record("9")).await.expect(200)["delivered"], true);

    let draft = json!({ "document": off, "record_id": "2" });
    let path = "/drafts/mapping/test-record";
    let sent = test(path, "c", draft.clone()).await.expect(200);
    assert_eq!(test(path, "c", draft).await.expect(200), sent);
    assert_eq!(house.receiver.requests().len(), 3);
    house.control("update answer set answer = 'null'");
    let unknown = test(kept, "a", record("1")).await;
    assert_eq!(unknown.refusal(), (409, "A619".to_owned()), "nobody knows how it ended");
    assert_eq!(house.receiver.requests().len(), 3);
    for _ in 0..2 {
        let reset = test("/mappings/off/reset", "d", json!({})).await.expect(200);
        assert_eq!(reset, json!({ "mapping": "off", "reset": true }));
    }
    let audit = house.api("GET", "/audit").answer().await.text;
    assert_eq!(audit.matches("mapping.reset").count(), 1, "{audit}");
}
