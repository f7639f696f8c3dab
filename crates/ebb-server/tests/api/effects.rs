//! What an edit means for records that were sent, and what sends them again or does not.

use std::time::Duration;

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

/// The mapping of these tests, with one field of its own.
fn mapping(house: &House, text: &str) -> Value {
    json!({
        "model": "names", "destination": "hook", "action": "send",
        "fields": { "url": house.receiver.url("/greet"), "data": { "text": text } },
    })
}

fn model(query: &str) -> Value {
    json!({ "source": "db", "id": "id", "query": query })
}

/// A house in which `greet` has sent two names.
async fn greeted() -> House {
    let house = House::new(2, Script::default()).await;
    let document = model("select id, name from people");
    let new = json!({ "name": "names", "document": document });
    house.api("POST", "/models").json(&new).answer().await.expect(201);
    let new = json!({ "name": "greet", "document": mapping(&house, "Hello") });
    house.api("POST", "/mappings").json(&new).answer().await.expect(201);
    run(&house, "sync").await;
    house
}

/// Starts a sync of `greet` and waits for its end.
async fn run(house: &House, kind: &str) -> Value {
    let before = house.get("/syncs?mapping=greet").await["items"].as_array().unwrap().len();
    let start = house.api("POST", "/mappings/greet/syncs").json(&json!({ "kind": kind }));
    start.answer().await.expect(202);
    let waiting = async {
        loop {
            let syncs = house.get("/syncs?mapping=greet").await["items"].clone();
            let newest = &syncs[0];
            if syncs.as_array().unwrap().len() > before && !newest["finished_at"].is_null() {
                return newest.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap()
}

async fn effect(house: &House, path: &str, document: &Value) -> Value {
    let asked = house.api("POST", &format!("{path}/effect")).json(document);
    asked.answer().await.expect(200)["mappings"].clone()
}

async fn put(house: &House, path: &str, document: &Value) {
    let etag = house.api("GET", path).answer().await.etag;
    let put = house.api("PUT", path).with("if-match", etag).json(document);
    put.answer().await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_fields_is_told_and_a_backfill_sends_it_to_all() {
    let house = greeted().await;
    let same = effect(&house, "/mappings/greet", &mapping(&house, "Hello")).await;
    assert_eq!(same, json!([]));
    let other = mapping(&house, "Dear");
    let told = effect(&house, "/mappings/greet", &other).await;
    assert_eq!(
        told,
        json!([{
            "mapping": "greet", "effect": "later_records", "tracked": 2, "changes": null,
            "lacking": [], "offers": "backfill", "failure": null,
        }])
    );
    put(&house, "/mappings/greet", &other).await;
    assert_eq!(run(&house, "sync").await["counts"]["extracted"]["updated"], 0);
    let backfill = run(&house, "backfill").await;
    assert_eq!(
        (&backfill["kind"], &backfill["counts"]["delivered"]["updated"]),
        (&json!("backfill"), &json!(2))
    );
    assert_eq!(run(&house, "sync").await["counts"]["extracted"]["updated"], 0);
    let mut added = other;
    added["records"] = json!("added");
    let told = effect(&house, "/mappings/greet", &added).await;
    assert_eq!(told[0]["offers"], Value::Null, "it would send nothing again");
    put(&house, "/mappings/greet", &added).await;
    let start = house.api("POST", "/mappings/greet/syncs").json(&json!({ "kind": "backfill" }));
    assert_eq!(start.answer().await.refusal(), (422, "R422".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_a_model_is_counted_and_a_rebase_keeps_it_from_sending() {
    let house = greeted().await;
    let other = model("select id, name, version from people");
    let told = effect(&house, "/models/names", &other).await;
    assert_eq!(
        told,
        json!([{
            "mapping": "greet", "effect": "sent_again", "tracked": null,
            "changes": { "added": 0, "updated": 2, "deleted": 0 },
            "lacking": [], "offers": "rebase", "failure": null,
        }])
    );
    put(&house, "/models/names", &other).await;
    run(&house, "rebase").await;
    assert_eq!(run(&house, "sync").await["counts"]["extracted"]["updated"], 0);
    let broken = effect(&house, "/models/names", &model("select id, nothing from people")).await;
    assert_eq!(
        (&broken[0]["changes"], &broken[0]["failure"]["code"]),
        (&Value::Null, &json!("S105"))
    );
    let identified =
        json!({ "source": "db", "id": "name", "query": "select id, name from people" });
    let told = effect(&house, "/models/names", &identified).await;
    assert_eq!(told[0]["effect"], "all");
    assert_eq!(told[0]["changes"], json!({ "added": 2, "updated": 0, "deleted": 2 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_a_mapping_reads_is_missed_before_and_after_it_goes() {
    let house = greeted().await;
    let mut reading = mapping(&house, "Hello");
    reading["fields"]["data"] = json!({
        "name": { "@path": "$.properties.name" }, "greeting": { "@template": "Dear {{properties.name}}" },
    });
    put(&house, "/mappings/greet", &reading).await;
    assert_eq!(run(&house, "sync").await["warnings"], json!([]));
    let less = model("select id, version from people");
    let told = effect(&house, "/models/names", &less).await;
    assert_eq!(told[0]["lacking"], json!(["name"]), "{told}");
    assert_eq!(told[0]["changes"]["updated"], 2);
    put(&house, "/models/names", &less).await;
    let sync = run(&house, "sync").await;
    assert_eq!(sync["status"], "succeeded");
    let warned = json!([[
        "columns that the mapping reads are missing in the model (`name`), so records go out without \
         them; mend the model or the mapping",
        1
    ]]);
    assert_eq!(sync["warnings"], warned);
    assert_eq!(run(&house, "sync").await["warnings"], warned, "also where nothing changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_that_is_deleted_and_made_again_sends_every_record() {
    let house = greeted().await;
    assert_eq!(run(&house, "sync").await["counts"]["extracted"]["added"], 0);
    let etag = house.api("GET", "/mappings/greet").answer().await.etag;
    let gone = house.api("DELETE", "/mappings/greet").with("if-match", etag).answer().await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let new = json!({ "name": "greet", "document": mapping(&house, "Hello") });
    house.api("POST", "/mappings").json(&new).answer().await.expect(201);
    assert_eq!(run(&house, "sync").await["counts"]["delivered"]["added"], 2);
    assert_eq!(run(&house, "sync").await["counts"]["extracted"]["added"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_s_plan_names_the_mappings_that_it_touches() {
    let house = greeted().await;
    let mappings = json!({ "greet": mapping(&house, "Dear") });
    let folder = json!({ "documents": { "mappings": mappings } });
    let planned = house.api("POST", "/apply/plan").json(&folder).answer().await.expect(200);
    assert_eq!(
        planned["effects"],
        json!([{ "mapping": "greet", "effect": "later_records", "offers": "backfill" }])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_synced_or_is_switched_off_is_not_asked() {
    let house = greeted().await;
    let mut off = mapping(&house, "Dear");
    off["enabled"] = json!(false);
    assert_eq!(effect(&house, "/mappings/greet", &off).await, json!([]));
    let new = json!({ "name": "young", "document": mapping(&house, "Hello") });
    house.api("POST", "/mappings").json(&new).answer().await.expect(201);
    assert_eq!(effect(&house, "/mappings/young", &mapping(&house, "Dear")).await, json!([]));
    let nobody = house.api("POST", "/mappings/nobody/effect").json(&off).answer().await;
    assert_eq!(nobody.refusal(), (404, "A609".to_owned()));
    let file = house.api("POST", "/mappings/all/effect").json(&off).answer().await;
    assert_eq!(file.refusal(), (409, "A608".to_owned()));
}
