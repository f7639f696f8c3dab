//! Records of a month, beside a limit, for programs and in the page.

use std::time::Duration;

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

/// Starts a sync, and waits until nothing of the mapping runs.
async fn sync(house: &House) -> Value {
    let asked = house.api("POST", "/mappings/all/syncs").json(&json!({ "kind": "sync" }));
    asked.answer().await.expect(202);
    let waiting = async {
        loop {
            let outlook = house.get("/mappings/all/outlook").await;
            if !["running", "queued"].contains(&outlook["state"].as_str().unwrap()) {
                return outlook;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap()
}

async fn page(house: &House, path: &str) -> String {
    let answer = house.ask("GET", path).answer().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_plan_records_are_counted_and_nothing_stops() {
    let house = House::new(5, Script::default()).await;
    house.receiver.refuse(["3"]);
    sync(&house).await;
    let usage = house.get("/usage").await;
    assert_eq!((&usage["plan"], &usage["limit"]), (&json!("none"), &Value::Null));
    assert_eq!(usage["destinations"], json!([{ "destination": "hook", "records": 5 }]));
    assert_eq!(usage["months"].as_array().unwrap().len(), 13);
    assert_eq!(usage["months"][0]["month"], usage["month"]);
    let told = page(&house, "/usage").await;
    assert!(told.contains("No limit") && told.contains("100.0 %"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_limit_syncs_pause_and_everything_says_why_and_until_when() {
    let house = House::with(5, "usage: { plan: { records: 3 } }\n").await;
    let outlook = sync(&house).await;
    let usage = house.get("/usage").await;
    assert_eq!(
        (&usage["records"], &usage["limit"], &usage["plan"]),
        (&json!(3), &json!(3), &json!("records"))
    );
    assert_eq!(outlook, json!({ "state": "paused", "until": usage["ends_at"] }));
    let syncs = house.get("/syncs").await;
    assert_eq!(syncs["items"][0]["failure"]["reason"], "ErrUsageLimit");
    assert_eq!(house.receiver.records().len(), 3);

    let told = page(&house, "/usage").await;
    assert!(told.contains("The limit of this month is reached"), "{told}");
    assert!(told.contains("value=\"3\" max=\"3\""), "{told}");
    let mapping = page(&house, "/mappings/all").await;
    assert!(mapping.contains("The usage limit of this month is reached"), "{mapping}");
    assert!(mapping.contains("Paused"), "{mapping}");
    assert!(page(&house, "/").await.contains("Paused"));

    // What was cut short waits after a restart as well.
    let house = house.restarted().await;
    assert_eq!(sync(&house).await["state"], "paused");
    assert_eq!(house.get("/syncs").await["items"].as_array().unwrap().len(), 1, "nothing began");
    assert_eq!(house.get("/usage").await, usage);
}
