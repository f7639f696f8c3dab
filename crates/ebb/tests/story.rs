//! The commands in the order in which a person meets them.

use std::time::Duration;

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::shop::{Shop, total};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_check_to_sync_exactly_the_changes_arrive() {
    let shop = Shop::new(1_000, Script::default()).await;
    let check = shop.run(&["check"]).await;
    assert_eq!((check.code, &check.json()["ok"]), (Some(0), &json!(true)), "{check:?}");

    let preview = shop.run(&["preview", "people"]).await.json();
    assert_eq!(preview["rows"].as_array().unwrap().len(), 10);
    assert_eq!(preview["rows"][0], json!({ "id": 1, "name": "person 1", "version": 1 }));

    let plan = shop.run(&["plan", "all", "--show", "2"]).await.json();
    assert_eq!(plan["diff"]["changes"]["added"], 1_000);
    assert_eq!(plan["batches"][0]["record_ids"], json!(["1", "2"]));
    assert_eq!(shop.receiver.requests().len(), 0, "a plan sends nothing");

    for mapping in ["all", "changed", "gone"] {
        assert_eq!(shop.run(&["sync", mapping]).await.code, Some(0));
    }
    assert_eq!(shop.versions("all").len(), 1_000);
    assert!(shop.versions("changed").is_empty() && shop.versions("gone").is_empty());
    shop.receiver.clear();

    shop.sql("update people set version = 2 where id <= 30");
    shop.sql("delete from people where id > 980");
    shop.insert(2_001..=2_010);
    let all = shop.run(&["sync", "--all"]).await;
    assert_eq!(all.code, Some(0), "{all:?}");
    let delivered: Vec<_> = all.syncs().iter().map(|sync| total(sync, "delivered")).collect();
    assert_eq!(delivered, [40, 30, 20], "all, changed, gone");
    assert!(shop.versions("changed").values().all(|version| *version == 2));
    let ids: Vec<_> = shop.versions("gone").into_keys().collect();
    assert_eq!((ids.len(), ids[0].as_str()), (20, "1000"));

    assert_eq!(shop.run(&["sync", "all"]).await.count("extracted"), 0);
    let history = shop.run(&["syncs", "all"]).await.syncs();
    assert_eq!(history.len(), 3);
    let shown = shop.run(&["show", history[1]["id"].as_str().unwrap()]).await.json();
    assert_eq!(shown["counts"], history[1]["counts"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_sends_again_and_reset_starts_anew() {
    let shop = Shop::new(100, Script::default()).await;
    let first = shop.run(&["sync", "all"]).await;
    let id = first.syncs()[0]["id"].as_str().unwrap().to_owned();
    shop.sql("update people set version = 2");
    let replay = shop.run(&["replay", &id]).await;
    assert_eq!((replay.code, replay.count("delivered")), (Some(0), 100));
    for (id, deliveries) in shop.receiver.records() {
        assert_eq!(deliveries.len(), 2, "{id}");
        assert_eq!(deliveries[0].item, deliveries[1].item, "a replay sends what was sent");
    }
    assert_eq!(shop.run(&["reset", "all"]).await.code, Some(0));
    let again = shop.run(&["sync", "all"]).await;
    assert_eq!(again.syncs()[0]["counts"]["delivered"]["added"], 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_sends_all_in_the_form_of_an_edit() {
    let shop = Shop::new(100, Script::default()).await;
    for mapping in ["all", "gone"] {
        shop.run(&["sync", mapping]).await;
    }
    let edited = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    shop.write("ebb.yaml", &edited.replace("batch_size: 100", "batch_size: 50"));
    let plan = shop.run(&["plan", "all"]).await.json();
    assert_eq!((&plan["edited"], &plan["diff"]["tracked"]), (&json!(true), &json!(100)));
    let unasked = shop.run(&["sync", "all", "--backfill"]).await;
    assert_eq!(unasked.code, Some(2), "nobody is there to be asked: {unasked:?}");
    let backfill = shop.run(&["sync", "all", "--backfill", "--yes"]).await;
    assert_eq!((backfill.code, &backfill.syncs()[0]["kind"]), (Some(0), &json!("backfill")));
    assert_eq!(backfill.syncs()[0]["counts"]["delivered"]["updated"], 100);
    for (id, deliveries) in shop.receiver.records() {
        let [first, again] = &deliveries[..] else { panic!("{id} came {}", deliveries.len()) };
        assert_ne!(first.item["messageId"], again.item["messageId"], "{id} is no repetition");
    }
    assert_eq!(shop.run(&["plan", "all"]).await.json()["edited"], false);
    assert_eq!(shop.run(&["sync", "all"]).await.count("extracted"), 0);
    let nothing = shop.run(&["sync", "gone", "--backfill", "--yes"]).await;
    assert_eq!((nothing.code, &nothing.json()["error"]["code"]), (Some(2), &json!("R422")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_record_is_sent_and_a_refused_record_is_explained() {
    let shop = Shop::new(10, Script::default()).await;
    let test = shop.run(&["test", "all", "--record", "7"]).await;
    assert_eq!((test.code, &test.json()["delivered"]), (Some(0), &json!(true)));
    assert_eq!(shop.receiver.records()["7"].len(), 1);
    let missing = shop.run(&["test", "all", "--record", "70"]).await;
    assert_eq!((missing.code, &missing.json()["error"]["code"]), (Some(2), &json!("R418")));

    shop.receiver.refuse(["3"]);
    let sync = shop.run(&["sync", "all"]).await;
    assert_eq!((sync.code, sync.count("discarded")), (Some(1), 1));
    let failures = &sync.syncs()[0]["failures"];
    assert_eq!(failures[0]["failure"]["code"], "D205");
    assert_eq!(failures[0]["samples"][0]["record_id"], "3");
    let reply = failures[0]["samples"][0]["reply"].as_str().unwrap();
    assert!(reply.contains("record 3 is refused"), "{reply}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_deletes_are_held_and_approved() {
    let shop = Shop::new(200, Script::default()).await;
    shop.run(&["sync", "all"]).await;
    shop.sql("delete from people where id > 50");
    let held = shop.run(&["sync", "all"]).await;
    assert_eq!((held.code, &held.syncs()[0]["status"]), (Some(1), &json!("held")));
    assert_eq!(held.syncs()[0]["failure"]["code"], "R408");
    let approved = shop.run(&["sync", "all", "--approve"]).await;
    assert_eq!(approved.code, Some(0), "{approved:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_is_kept_for_a_while_and_read_again_on_demand() {
    let shop = Shop::new(1, Script::default()).await;
    let name = async |arguments: &[&str]| {
        let answer = shop.run(arguments).await.json();
        assert!(answer["age_seconds"].is_number(), "{answer}");
        answer["rows"][0]["name"].clone()
    };
    assert_eq!(name(&["preview", "people"]).await, "person 1");
    shop.sql("update people set name = 'Ada'");
    assert_eq!(name(&["preview", "people"]).await, "person 1");
    assert_eq!(name(&["preview", "people", "--refresh"]).await, "Ada");
    assert_eq!(name(&["preview", "people"]).await, "Ada");
    let text = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    shop.write("ebb.yaml", &text.replace("from people", "from people where id > 0"));
    shop.sql("update people set name = 'Bo'");
    assert_eq!(name(&["preview", "people"]).await, "Bo", "another query");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_sync_left_is_dropped_once_nobody_goes_on_with_it() {
    let script = Script { delay: Duration::from_mins(1), ..Script::default() };
    let shop = Shop::new(100, script).await;
    let mut child = shop.command(&["sync", "all"]).spawn().unwrap();
    while shop.receiver.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let clean = shop.run(&["source", "clean", "db"]).await.json();
    let left = &clean["leftovers"][0];
    assert_eq!((&left["need"], &left["mapping"]), (&json!("open"), &json!("all")));
    let table = left["tables"][0].as_str().unwrap().to_owned();
    assert_eq!(table, format!("changes_{}", left["sync"].as_str().unwrap()));

    // The mapping is taken out of the project: nothing goes on with its sync.
    let yaml = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let refused = shop.run(&["source", "clean", "db", "--forget", "all"]).await;
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (Some(2), &json!("C506")));
    shop.write("ebb.yaml", &yaml.replace("  all:\n", "  everybody:\n"));
    let forget = ["source", "clean", "db", "--forget", "all"];
    let clean = shop.run(&forget).await.json();
    assert_eq!(clean["leftovers"][0]["need"], "over", "{clean}");
    let clean = shop.run(&["source", "clean", "db", "--dry-run"]).await.json();
    assert_eq!(clean["leftovers"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_only_where_they_consented_to() {
    let shop = Shop::new(4, Script::default()).await;
    shop.sql(
        "alter table people add column wants_news boolean;
         update people set wants_news = 1 where id = 1; update people set wants_news = 'true' where id = 2;
         update people set wants_news = 0 where id = 3",
    );
    let yaml = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let yaml = yaml
        .replace("path: shop.db } }", "path: shop.db }, consent: { news: wants_news } }")
        .replace("{ kind: webhook }", "{ kind: webhook, consent: [news] }");
    shop.write("ebb.yaml", &yaml);
    let check = shop.run(&["check"]).await.json();
    let wrong = |step: &&Value| !step["failure"].is_null();
    let steps: Vec<_> = check["steps"].as_array().unwrap().iter().filter(wrong).collect();
    assert_eq!((steps.len(), &steps[0]["failure"]["code"]), (3, &json!("M307")), "{check}");
    let failed = shop.run(&["sync", "all"]).await;
    assert_eq!((failed.code, &failed.syncs()[0]["failure"]["code"]), (Some(2), &json!("M307")));

    shop.write("ebb.yaml", &yaml.replace("id, name, version", "id, name, version, wants_news"));
    assert_eq!(shop.run(&["check"]).await.json()["ok"], true);
    let sync = shop.run(&["sync", "all"]).await;
    assert_eq!((sync.count("delivered"), sync.count("discarded")), (2, 2), "{sync:?}");
    let failures = &sync.syncs()[0]["failures"];
    assert_eq!(failures[0]["failure"]["reason"], "ErrConsent");
    assert_eq!(
        (&failures[0]["count"], &failures[0]["samples"][0]["payload"]),
        (&json!(2), &json!(""))
    );
    assert_eq!(shop.versions("all").into_keys().collect::<Vec<_>>(), ["1", "2"]);
    let test = shop.run(&["test", "all", "--record", "3"]).await;
    assert_eq!((test.code, &test.json()["error"]["code"]), (Some(2), &json!("R420")));

    shop.run(&["sync", "gone"]).await;
    shop.sql(
        "update people set wants_news = 1 where id = 3; delete from people where id in (2, 4)",
    );
    assert_eq!(shop.run(&["sync", "all"]).await.count("delivered"), 1);
    let gone = shop.run(&["sync", "gone", "--approve"]).await;
    assert_eq!(gone.count("delivered"), 2, "a delete needs no consent: {gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_of_usage_stops_syncs_at_its_limit() {
    let shop = Shop::new(250, Script::default()).await;
    let yaml = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    shop.write("ebb.yaml", &format!("{yaml}usage: {{ plan: {{ records: 120 }} }}\n"));
    let paused = shop.run(&["sync", "all"]).await;
    assert_eq!((paused.code, paused.count("delivered")), (Some(1), 120), "{paused:?}");
    assert_eq!(paused.syncs()[0]["failure"]["reason"], "ErrUsageLimit");
    let refused = shop.run(&["sync", "all"]).await;
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (Some(2), &json!("R405")));
    let usage = shop.run(&["usage"]).await.json();
    assert_eq!((&usage["records"], &usage["limit"]), (&json!(120), &json!(120)));
    assert_eq!(usage["destinations"], json!([{ "destination": "hook", "records": 120 }]));

    shop.write("ebb.yaml", &yaml);
    assert_eq!(shop.run(&["sync", "all"]).await.count("delivered"), 130, "the rest");
    assert_eq!(shop.run(&["usage"]).await.json()["records"], 250);
    assert_eq!(shop.versions("all").len(), 250);
}
