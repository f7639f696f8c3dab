//! A folder applied as a whole.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

fn folder() -> Value {
    json!({ "documents": {
        "sources": { "lake": { "kind": "sqlite", "settings": { "path": "shop.db" } } },
        "models": { "mine": { "source": "lake", "id": "id", "query": "select id, name from people" } },
        "destinations": {
            "tool": { "kind": "webhook", "settings": { "sharedSecret": "hunter2-of-the-folder" } },
        },
        "mappings": { "own": {
            "model": "mine", "destination": "tool", "action": "send",
            "fields": { "url": "https://example.com/${not_a_reference}" },
        } },
    } })
}

async fn plan(house: &House, folder: &Value) -> Value {
    house.api("POST", "/apply/plan").json(folder).answer().await.expect(200)
}

fn doings(plan: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = plan["steps"].as_array().unwrap().iter();
    steps
        .map(|it| format!("{} {}.{}", text(&it["doing"]), text(&it["section"]), text(&it["name"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_planned_applied_and_then_as_it_should_be() {
    let house = House::new(1, Script::default()).await;
    let planned = plan(&house, &folder()).await;
    let all = ["sources.lake", "models.mine", "destinations.tool", "mappings.own"];
    assert_eq!(doings(&planned), all.map(|entry| format!("create {entry}")));
    assert_eq!(planned["steps"][2]["secrets"], json!(["sharedSecret"]));
    assert!(
        house.get("/sources").await["items"].as_array().unwrap().len() == 1,
        "a plan makes nothing"
    );

    let wanted = json!({ "state": planned["state"], "folder": folder() });
    let applied = house.api("POST", "/apply").json(&wanted).answer().await.expect(200);
    assert_ne!(applied["state"], planned["state"]);
    let stale = house.api("POST", "/apply").json(&wanted).answer().await;
    assert_eq!(stale.refusal(), (412, "A607".to_owned()));
    let again = plan(&house, &folder()).await;
    assert_eq!(doings(&again), all.map(|entry| format!("keep {entry}")));
    let url = &house.get("/mappings/own").await["document"]["fields"]["url"];
    assert_eq!(url, "https://example.com/${not_a_reference}");

    let mut other = folder();
    other["documents"]["destinations"]["tool"]["settings"]["sharedSecret"] = json!("hunter3");
    other["documents"]["mappings"] = json!({});
    let planned = plan(&house, &other).await;
    let changed: Vec<_> =
        doings(&planned).into_iter().filter(|doing| !doing.starts_with("keep")).collect();
    assert_eq!(changed, ["update destinations.tool"], "nothing goes unless it is asked for");
    other["prune"] = json!(true);
    let pruned = plan(&house, &other).await;
    assert!(doings(&pruned).contains(&"delete mappings.own".to_owned()), "{pruned}");
    let wanted = json!({ "state": pruned["state"], "folder": other });
    house.api("POST", "/apply").json(&wanted).answer().await.expect(200);
    assert_eq!(
        house.api("GET", "/mappings/own").answer().await.refusal(),
        (404, "A609".to_owned())
    );
    let audit = house.api("GET", "/audit").answer().await.text;
    for line in ["mapping.deleted", "destination.updated", "mapping.created"] {
        assert!(audit.contains(line), "{line}");
    }
    for text in [audit, planned.to_string(), pruned.to_string(), applied.to_string()] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_with_something_wrong_is_refused_with_all_of_it_and_changes_nothing() {
    let house = House::new(1, Script::default()).await;
    let mut wrong = folder();
    wrong["documents"]["models"]["mine"]["source"] = json!("nowhere");
    wrong["documents"]["mappings"]["own"]["destination"] = json!("nobody");
    let refused = house.api("POST", "/apply/plan").json(&wrong).answer().await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let paths: Vec<_> = refused.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["path"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(paths, ["mappings.own.destination", "models.mine.source"]);

    let mut taken = folder();
    taken["documents"]["models"]["people"] = taken["documents"]["models"]["mine"].clone();
    let refused = house.api("POST", "/apply/plan").json(&taken).answer().await;
    assert_eq!(refused.refusal(), (409, "A608".to_owned()), "the server's own files win");

    let viewer = house.token("viewer").await;
    let refused = house.api("POST", "/apply/plan").by(&viewer).json(&folder()).answer().await;
    assert_eq!(refused.refusal(), (403, "A602".to_owned()));
}
