//! Syncs from their start to what became of them.

use std::time::Duration;

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

/// Waits until so many syncs of the mapping have ended; the newest first.
async fn ended(house: &House, count: usize) -> Vec<Value> {
    let waiting = async {
        loop {
            let syncs = house.get("/syncs?mapping=all").await["items"].as_array().unwrap().clone();
            let done = |sync: &&Value| !sync["finished_at"].is_null();
            if syncs.iter().filter(done).count() >= count {
                return syncs;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap()
}

async fn start(house: &House, key: &str) -> Value {
    let ask = house.api("POST", "/mappings/all/syncs").json(&json!({ "kind": "sync" }));
    ask.with("idempotency-key", key).answer().await.expect(202)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_is_started_once_by_its_key_and_tells_what_failed() {
    let house = House::new(5, Script::default()).await;
    house.receiver.refuse(["3"]);
    let first = start(&house, "monday").await;
    assert_eq!((&first["mapping"], &first["kind"]), (&json!("all"), &json!("sync")));
    let syncs = ended(&house, 1).await;
    assert_eq!(start(&house, "monday").await, first, "the same key, the same answer");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ended(&house, 1).await.len(), 1, "nothing started again");
    let other = house.api("POST", "/mappings/all/syncs").json(&json!({ "kind": "rebase" }));
    let other = other.with("idempotency-key", "monday").answer().await;
    assert_eq!(other.refusal(), (400, "A610".to_owned()), "another request under the same key");

    let id = syncs[0]["id"].as_str().unwrap();
    let sync = house.get(&format!("/syncs/{id}")).await;
    assert_eq!((&sync["status"], &sync["cause"]), (&json!("partial"), &json!("request")));
    assert_eq!(sync["counts"]["delivered"]["added"], 4);
    let sample = &sync["failures"][0]["samples"][0];
    assert_eq!(sample["record_id"], "3");
    assert_eq!(sample["request"]["method"], "POST");
    assert!(
        sample["request"]["url"].as_str().unwrap().starts_with("http://127.0.0.1:"),
        "{sample}"
    );
    let failures = house.get(&format!("/syncs/{id}/failures")).await;
    assert_eq!(failures["items"], sync["failures"]);
    let csv = house.api("GET", &format!("/syncs/{id}/failures.csv")).answer().await;
    assert_eq!((csv.status, csv.kind.as_str()), (200, "text/csv; charset=utf-8"));
    let lines: Vec<_> = csv.text.lines().collect();
    assert_eq!(lines[0], "code,verdict,message,advice,record_id,payload,reply,records");
    assert!(lines[1].starts_with("\"D205\",\"discarded\","), "{}", csv.text);
    assert!(lines[1].contains(",\"3\","), "{}", csv.text);
    assert!(lines[1].ends_with(",\"1\""), "{}", csv.text);

    assert_eq!(house.get("/syncs?status=partial").await["items"][0]["id"], id);
    assert_eq!(house.get("/syncs?status=held").await["items"], json!([]));
    for query in ["status=sleeping", "cursor=here", "limit=0", "order=asc"] {
        let refused = house.api("GET", &format!("/syncs?{query}")).answer().await;
        assert_eq!(refused.refusal(), (400, "A610".to_owned()), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_has_every_record_that_failed_and_not_only_samples() {
    let house = House::new(300, Script::default()).await;
    let bad: Vec<String> = (1..=300).step_by(2).map(|id| id.to_string()).collect();
    house.receiver.refuse(bad.clone());
    start(&house, "a").await;
    let sync = ended(&house, 1).await[0].clone();
    let id = sync["id"].as_str().unwrap();
    // Each refusal names its record, so beyond a hundred reasons they are put together.
    let group = &house.get(&format!("/syncs/{id}")).await["failures"][0];
    assert_eq!((&group["count"], group["samples"].as_array().unwrap().len()), (&json!(50), 5));
    let listed = async || {
        let path = format!("/syncs/{id}/failures.csv");
        let text = house.api("GET", &path).answer().await.text;
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = listed().await;
    assert_eq!(lines.len(), 150);
    for id in bad {
        let cell = format!(",\"{id}\",");
        assert_eq!(lines.iter().filter(|line| line.contains(&cell)).count(), 1, "{id}");
    }
    house.control("delete from part");
    let lines = listed().await;
    assert_eq!(lines.len(), 106, "the samples, and a number for the rest: {lines:?}");
    assert!(lines[5].ends_with(",\"\",\"\",\"\",\"45\""), "{}", lines[5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_sync_is_replayed_and_lists_go_on_behind_a_cursor() {
    let house = House::new(3, Script::default()).await;
    start(&house, "a").await;
    let past = ended(&house, 1).await[0]["id"].as_str().unwrap().to_owned();
    let replay = house.api("POST", &format!("/syncs/{past}/replay")).answer().await.expect(202);
    assert_eq!((&replay["kind"], &replay["of"]), (&json!("replay"), &json!(past)));
    let syncs = ended(&house, 2).await;
    assert_eq!(syncs[0]["kind"], json!({ "replay": { "of": past } }));
    assert_eq!(house.receiver.records()["1"].len(), 2);
    let first = house.get("/syncs?limit=1").await;
    assert_eq!(first["items"][0]["id"], syncs[0]["id"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = house.get(&format!("/syncs?limit=1&cursor={cursor}")).await;
    assert_eq!((&last["items"][0]["id"], &last["next_cursor"]), (&json!(past), &Value::Null));

    let ended_already = house.api("POST", &format!("/syncs/{past}/cancel")).answer().await;
    let told = json!({ "sync": past, "status": "succeeded", "canceling": false });
    assert_eq!(ended_already.expect(200), told);
    let unknown = "01arz3ndektsv4rrffq69g5fav";
    for id in [unknown, "nonsense"] {
        for (method, path) in [
            ("GET", ""),
            ("GET", "/failures"),
            ("GET", "/failures.csv"),
            ("GET", "/progress"),
            ("POST", "/cancel"),
            ("POST", "/replay"),
        ] {
            let refused = house.api(method, &format!("/syncs/{id}{path}")).answer().await;
            assert_eq!(refused.refusal(), (404, "R416".to_owned()), "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_told_until_a_sync_ends() {
    let slow = Script { delay: Duration::from_millis(400), ..Script::default() };
    let house = House::new(20_000, slow).await;
    start(&house, "a").await;
    let running = async {
        loop {
            if let Some(sync) = house.get("/syncs").await["items"].get(0) {
                return sync["id"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let id = tokio::time::timeout(Duration::from_mins(1), running).await.unwrap();
    let reset = house.api("POST", "/mappings/all/reset").answer().await;
    assert_eq!(reset.refusal(), (409, "R407".to_owned()), "not while it runs");
    let followed = house.api("GET", &format!("/syncs/{id}/progress")).answer();
    let canceled = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let long = json!({ "reason": "x".repeat(501) });
        let refused = house.api("POST", &format!("/syncs/{id}/cancel")).json(&long).answer().await;
        assert_eq!(refused.refusal(), (400, "A610".to_owned()));
        let why = json!({ "reason": " the wrong list " });
        house.api("POST", &format!("/syncs/{id}/cancel")).json(&why).answer().await
    };
    let both = async { tokio::join!(followed, canceled) };
    let (events, canceled) = tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
    assert_eq!(canceled.expect(200)["canceling"], true);
    assert_eq!(events.kind, "text/event-stream");
    assert!(events.text.starts_with("event: progress\ndata: {\"id\":"), "{}", events.text);
    let last = events.text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: end\n"), "{last}");
    assert!(last.contains("\"status\":\"canceled\""), "{last}");
    let told = house.get(&format!("/syncs/{id}")).await["cancellation"].clone();
    assert_eq!(told["reason"], "the wrong list");
    assert!(told["by"].as_str().unwrap().contains("by token"), "{told}");
    let audit = house.get("/audit").await;
    let mut lines = audit["items"].as_array().unwrap().iter();
    let line = lines.find(|line| line["action"] == "sync.canceled").unwrap();
    assert_eq!(line["after"], json!({ "reason": "the wrong list" }));
    let again = house.api("GET", &format!("/syncs/{id}/progress")).answer().await;
    assert!(again.text.starts_with("event: end\n"), "{}", again.text);
    let reset = house.api("POST", "/mappings/all/reset").answer().await.expect(200);
    assert_eq!(reset, json!({ "mapping": "all", "reset": true }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_ends_what_follows_a_sync() {
    let slow = Script { delay: Duration::from_millis(700), ..Script::default() };
    let house = House::new(5_000, slow).await;
    start(&house, "a").await;
    let running = async {
        while house.get("/syncs").await["items"].get(0).is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), running).await.unwrap();
    let id = house.get("/syncs").await["items"][0]["id"].as_str().unwrap().to_owned();
    let mut events = house.api("GET", &format!("/syncs/{id}/progress")).response().await;
    assert!(events.chunk().await.unwrap().is_some());
    let rest = async { while events.chunk().await.unwrap().is_some() {} };
    let both = async { tokio::join!(rest, house.close()) };
    tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_sends_nothing_and_a_test_record_is_sent_once() {
    let house = House::new(3, Script::default()).await;
    let plan = house.api("POST", "/mappings/all/plan?show=2").answer().await.expect(200);
    assert_eq!(plan["diff"]["changes"]["added"], 3);
    assert_eq!(plan["batches"][0]["record_ids"], json!(["1", "2"]));
    assert_eq!(plan["batches"][0]["requests"][0]["method"], "POST");
    assert_eq!(house.receiver.record_count(), 0);

    let test = |record: &str| {
        let body = json!({ "record_id": record });
        house.api("POST", "/mappings/all/test-record").json(&body).answer()
    };
    let sent = test("2").await;
    assert_eq!(sent.expect(200)["delivered"], true);
    assert_eq!(sent.json()["exchanges"][0]["reply"]["status"], 200);
    assert_eq!(house.receiver.record_count(), 1);
    assert!(!sent.text.contains(crate::house::FILE_SECRET));
    assert_eq!(test("99").await.refusal(), (422, "R418".to_owned()));
    house.receiver.refuse(["1"]);
    let refused = test("1").await.expect(200);
    assert_eq!(
        (&refused["delivered"], &refused["failure"]["code"]),
        (&json!(false), &json!("D205"))
    );
    for path in ["/mappings/none/plan", "/mappings/none/reset"] {
        assert_eq!(house.api("POST", path).answer().await.refusal(), (404, "A609".to_owned()));
    }
    let wrong = house.api("POST", "/mappings/all/syncs").json(&json!({ "kind": "all" }));
    assert_eq!(wrong.answer().await.refusal(), (400, "A610".to_owned()));
    assert_eq!(house.get("/syncs").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_makes_up_for_an_interrupted_sync_unless_the_mapping_was_reset() {
    let cut_short = "update sync set ended = 0, finished_at = null, record = json_set(record,
        '$.status', 'extracting', '$.diff', null, '$.finished_at', null, '$.changes_dropped', json('false'))";
    let house = House::new(3, Script::default()).await;
    start(&house, "a").await;
    ended(&house, 1).await;
    // What a sync still does behind its end is over then.
    let house = house.restarted().await;
    house.control(cut_short);
    let house = house.restarted().await;
    let syncs = ended(&house, 2).await;
    assert_eq!(syncs.len(), 2, "the one that was cut short, and the one that makes up for it");

    let house = house.restarted().await;
    house.control(&format!("{cut_short} where id = (select max(id) from sync)"));
    house.api("POST", "/mappings/all/reset").answer().await.expect(200);
    assert_eq!(ended(&house, 2).await[0]["status"], "canceled");
    let house = house.restarted().await;
    let outlook = house.get("/mappings/all/outlook").await;
    assert_eq!(outlook["state"], "idle", "{outlook}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(ended(&house, 2).await.len(), 2, "every record would be sent again");
}
