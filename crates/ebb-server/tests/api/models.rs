//! What models read, whether connections answer, and the catalog.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_is_kept_until_somebody_wants_it_new() {
    let house = House::new(2, Script::default()).await;
    let first = house.get("/models/people/preview").await;
    assert_eq!(first["rows"][1], json!({ "id": 2, "name": "person 2", "version": 1 }));
    assert_eq!(first["columns"][0]["name"], "id");
    house.sql("update people set name = 'other'");
    let kept = house.get("/models/people/preview").await;
    assert_eq!((&kept["rows"], &kept["read_at"]), (&first["rows"], &first["read_at"]));
    let new = house.get("/models/people/preview?refresh=true").await;
    assert_eq!((&new["rows"][1]["name"], &new["age_seconds"]), (&json!("other"), &json!(0)));
    let columns = house.get("/models/people/columns").await;
    assert_eq!(columns["items"], first["columns"]);
    for path in ["/models/none/preview", "/models/none/columns"] {
        let refused = house.api("GET", path).answer().await;
        assert_eq!(refused.refusal(), (404, "A609".to_owned()));
    }
    let refused = house.api("GET", "/models/people/preview?refresh=perhaps").answer().await;
    assert_eq!(refused.refusal(), (400, "A610".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_tried_before_it_is_a_model() {
    let house = House::new(2, Script::default()).await;
    let preview = |body: Value| house.api("POST", "/previews").json(&body).answer();
    let query = preview(json!({ "source": "db", "query": "select 7 as n, 'x' as t" })).await;
    assert_eq!(query.expect(200)["rows"], json!([{ "n": 7, "t": "x" }]));
    let table = preview(json!({ "source": "db", "table": "people", "id": "id" })).await;
    assert_eq!(table.expect(200)["rows"].as_array().unwrap().len(), 2);
    for (body, expected) in [
        (json!({ "source": "db" }), (400, "A610")),
        (json!({ "source": "db", "query": "select 1", "table": "people" }), (400, "A610")),
        (json!({ "source": "db", "qerry": "select 1" }), (400, "A610")),
        (json!({ "source": "none", "query": "select 1" }), (404, "A609")),
        (json!({ "source": "db", "query": "delete from people" }), (422, "S108")),
        (json!({ "source": "db", "query": "select * from nobody" }), (422, "S105")),
        (json!({ "source": "db", "table": "people; drop table people" }), (422, "S108")),
    ] {
        let (status, code) = expected;
        assert_eq!(preview(body.clone()).await.refusal(), (status, code.to_owned()), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_tested_step_by_step() {
    let house = House::new(1, Script::default()).await;
    let source = house.api("POST", "/sources/db/check").answer().await.expect(200);
    assert_eq!(source["ok"], true, "{source}");
    assert!(source["steps"].as_array().unwrap().len() > 2, "{source}");
    let new = json!({ "name": "gone", "document": {
        "kind": "sqlite", "settings": { "path": "gone.db" },
    } });
    house.api("POST", "/sources").json(&new).answer().await.expect(201);
    let gone = house.api("POST", "/sources/gone/check").answer().await.expect(200);
    assert_eq!(
        (&gone["ok"], &gone["steps"][0]["failure"]["code"]),
        (&json!(false), &json!("S112"))
    );
    let hook = house.api("POST", "/destinations/hook/check").answer().await.expect(200);
    assert_eq!(hook["ok"], true, "{hook}");
    for path in ["/sources/none/check", "/destinations/none/check"] {
        assert_eq!(house.api("POST", path).answer().await.refusal(), (404, "A609".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_tells_every_kind_with_what_it_takes() {
    let house = House::new(1, Script::default()).await;
    let sources = house.get("/catalog/sources").await;
    let kinds = sources["items"].as_array().unwrap();
    assert!(kinds.iter().any(|kind| kind["kind"] == "snowflake"));
    let sqlite = house.get("/catalog/sources/sqlite").await;
    assert_eq!(sqlite["settings"][0]["key"], "path", "{sqlite}");
    let all = house.get("/catalog/destinations").await["items"].as_array().unwrap().len();
    let found = house.get("/catalog/destinations?search=WEBH").await["items"].clone();
    assert!(found.as_array().unwrap().len() < all);
    assert!(found.as_array().unwrap().iter().any(|kind| kind["kind"] == "webhook"));
    let messaging = house.get("/catalog/destinations?category=messaging").await["items"].clone();
    let kinds: Vec<_> =
        messaging.as_array().unwrap().iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"slack") && !kinds.contains(&"webhook"), "{kinds:?}");
    let none = house.api("GET", "/catalog/destinations?category=fun").answer().await;
    assert_eq!(none.refusal(), (400, "A610".to_owned()));
    let page = house.ask("GET", "/destinations?category=messaging&q=post").answer().await.text;
    assert!(page.contains("/destinations/new/slack"), "{page}");
    assert!(!page.contains("/destinations/new/webhook"), "{page}");
    assert!(page.contains("aria-current=\"true\">Messaging"), "{page}");
    let webhook = house.get("/catalog/destinations/webhook").await;
    assert_eq!(webhook["categories"], json!(["developer"]));
    assert_eq!(webhook["actions"][0]["fields"][0]["key"], "url", "{webhook}");
    for path in ["/catalog/sources/abacus", "/catalog/destinations/pigeon"] {
        assert_eq!(house.api("GET", path).answer().await.refusal(), (404, "A609".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_a_source_are_listed_and_kept_for_a_while() {
    let house = House::new(2, Script::default()).await;
    house.sql("create view \"Some people\" as select id, name from people");
    let told = house.get("/sources/db/tables").await;
    let names: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|table| table["sql"].clone()).collect();
    assert_eq!(names, ["\"Some people\"", "people"], "{told}");
    let id = json!({ "name": "id", "sql": "id", "native": "INTEGER" });
    assert_eq!((&told["items"][1]["columns"][0], &told["cut"]), (&id, &json!(false)));
    house.sql("create table pets (id integer)");
    let kept = house.get("/sources/db/tables").await;
    assert_eq!(kept, told, "the source is not asked again at once");
    let new = house.get("/sources/db/tables?refresh=true").await;
    assert_eq!(new["items"].as_array().unwrap().len(), 3, "{new}");
    let none = house.api("GET", "/sources/none/tables").answer().await;
    assert_eq!(none.refusal(), (404, "A609".to_owned()));
}
