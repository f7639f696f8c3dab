//! What dbt Cloud tells.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde_json::{Value, json};

use crate::house::{Answer, House};

const SECRET: &str = "of-the-webhook";

async fn house() -> House {
    let follower = format!(
        "  follower:\n    model: people\n    destination: hook\n    action: send\n    \
         fields: {{ url: \"http://127.0.0.1:9/all\" }}\n    schedule: {{ after_dbt_cloud_job: 7 }}\n\
         dbt_cloud: {{ webhook_secret: {SECRET} }}\n"
    );
    House::with(3, &follower).await
}

/// A delivery as dbt Cloud sends it.
fn delivery(event: &str, job: &str, status: &str) -> Value {
    json!({
        "accountId": 1, "webhookId": "wsu_1", "eventId": event, "eventType": "job.run.completed",
        "timestamp": Timestamp::now().to_string(), "webhookName": "ebb",
        "data": { "jobId": job, "jobName": "Daily", "runId": "90", "runStatus": status,
            "runStatusCode": 10, "projectId": "4" },
    })
}

async fn send(house: &House, secret: &str, delivery: &Value) -> Answer {
    let body = delivery.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let pairs: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let mark = pairs.concat();
    let ask = house.ask("POST", "/hooks/dbt-cloud").by_nobody().with("authorization", mark);
    ask.text("application/json", body).answer().await
}

async fn syncs(house: &House) -> Vec<Value> {
    house.get("/syncs?mapping=follower").await["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ended_well_starts_who_follows_its_job_once() {
    let house = house().await;
    let outlook = house.get("/mappings/follower/outlook").await;
    assert_eq!(outlook, json!({ "state": "after_dbt_cloud_job", "job": 7 }));
    for (event, job, status) in
        [("a", "7", "Error"), ("b", "7", "Cancelled"), ("c", "8", "Success")]
    {
        let told = send(&house, SECRET, &delivery(event, job, status)).await.expect(200);
        assert_eq!(told, json!({ "started": [] }), "{event}");
    }
    let other =
        json!({ "eventId": "d", "eventType": "job.run.started", "timestamp": Timestamp::now() });
    assert_eq!(send(&house, SECRET, &other).await.expect(200), json!({ "started": [] }));
    assert!(syncs(&house).await.is_empty());

    let good = delivery("e", "7", "Success");
    let told = send(&house, SECRET, &good).await.expect(200);
    assert_eq!(told, json!({ "started": ["follower"] }));
    let again = send(&house, SECRET, &good).await.expect(200);
    assert_eq!(again, json!({ "started": [] }), "an event counts once");
    let begun = async {
        while syncs(&house).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), begun).await.unwrap();
    let syncs = syncs(&house).await;
    assert_eq!(syncs.len(), 1);
    assert_eq!(syncs[0]["cause"], json!({ "dbt_cloud": { "job": 7, "run": 90 } }));
    let audit = house.get("/audit").await;
    let mut lines = audit["items"].as_array().unwrap().iter();
    let line = lines.find(|line| line["actor"] == "dbt Cloud").unwrap();
    assert_eq!((&line["action"], &line["subject"]), (&json!("sync.requested"), &json!("follower")));
    assert_eq!(line["after"], json!({ "job": 7, "run": 90 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_or_old_starts_nothing_and_tells_no_secret() {
    let house = house().await;
    let mut old = delivery("a", "7", "Success");
    old["timestamp"] = json!((Timestamp::now() - SignedDuration::from_hours(25)).to_string());
    assert_eq!(send(&house, SECRET, &old).await.refusal(), (400, "A610".to_owned()));
    let nonsense = send(&house, SECRET, &json!([1])).await;
    assert_eq!(nonsense.refusal(), (400, "A610".to_owned()));
    let good = delivery("b", "7", "Success");
    for tries in 0..12 {
        let wrong = send(&house, "guessed", &good).await;
        let expected = if tries < 10 { (401, "A601") } else { (429, "A604") };
        assert_eq!(wrong.refusal(), (expected.0, expected.1.to_owned()));
        assert!(!wrong.text.contains(SECRET));
    }
    let bare = house.ask("POST", "/hooks/dbt-cloud").by_nobody().json(&good).response().await;
    assert_eq!(bare.status(), 429);
    let wait: u64 = bare.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    let large = house
        .ask("POST", "/hooks/dbt-cloud")
        .by_nobody()
        .text("application/json", "x".repeat(70_000));
    assert_eq!(large.answer().await.refusal(), (413, "A618".to_owned()));
    assert!(syncs(&house).await.is_empty());
    assert_eq!(send(&house, SECRET, &good).await.expect(200), json!({ "started": ["follower"] }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_there_is_no_such_address_and_no_such_schedule() {
    let house = House::with(1, "").await;
    let good = delivery("a", "7", "Success");
    assert_eq!(send(&house, SECRET, &good).await.refusal(), (404, "A609".to_owned()));
    let mapping = json!({ "name": "late", "document": {
        "model": "people", "destination": "hook", "action": "send",
        "fields": { "url": "http://127.0.0.1:9/all" }, "schedule": { "after_dbt_cloud_job": 7 },
    } });
    let refused = house.api("POST", "/mappings").json(&mapping).answer().await;
    assert_eq!(refused.status / 100, 4, "{}", refused.text);
}
