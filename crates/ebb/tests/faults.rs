//! Bad days of the machine that Ebb runs on.

use std::time::Duration;

use ebb_testkit::Script;
use serde_json::json;
use tokio::task::JoinSet;

use crate::shop::{Shop, ran};

pub(crate) fn slow() -> Script {
    Script { delay: Duration::from_millis(200), ..Script::default() }
}

/// Waits until the receiver has seen a request: the sync is loading.
pub(crate) async fn loading(shop: &Shop) {
    while shop.receiver.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_syncs_of_one_mapping_one_runs_and_the_other_says_so() {
    let shop = Shop::new(10_000, slow()).await;
    let mut first = JoinSet::new();
    first.spawn(ran(shop.command(&["sync", "all"])));
    loading(&shop).await;
    let second = shop.run(&["sync", "all"]).await;
    assert_eq!((second.code, &second.json()["error"]["code"]), (Some(2), &json!("R407")));
    let first = first.join_next().await.unwrap().unwrap();
    assert_eq!((first.code, first.count("delivered")), (Some(0), 10_000));
    assert!(shop.receiver.records().values().all(|deliveries| deliveries.len() == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_finishes_batches_in_flight_and_commits_them() {
    let shop = Shop::new(40_000, slow()).await;
    let child = shop.command(&["sync", "all"]).spawn().unwrap();
    loading(&shop).await;
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output =
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let out: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sync = &out["syncs"][0];
    assert_eq!(sync["status"], "canceled");
    let delivered = sync["counts"]["delivered"]["added"].as_u64().unwrap();
    assert_eq!(shop.receiver.record_count() as u64, delivered);
    shop.receiver.set_delay(Duration::ZERO);
    let rest = shop.run(&["sync", "all"]).await;
    assert_eq!(rest.count("delivered"), 40_000 - delivered);
    assert!(shop.receiver.records().values().all(|deliveries| deliveries.len() == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_sync_ends_early_and_the_next_sends_the_rest() {
    let shop = Shop::new(40_000, slow()).await;
    let mut first = JoinSet::new();
    first.spawn(ran(shop.command(&["sync", "all"])));
    loading(&shop).await;
    let running = shop.run(&["syncs", "all"]).await.syncs();
    let id = running[0]["id"].as_str().unwrap();
    let cancel = shop.run(&["cancel", id, "--reason", "the wrong list"]).await;
    assert_eq!((cancel.code, &cancel.json()["canceling"]), (Some(0), &json!(true)));
    let first = first.join_next().await.unwrap().unwrap();
    assert_eq!((first.code, &first.syncs()[0]["status"]), (Some(1), &json!("canceled")));
    let told = json!({ "by": "the command line", "reason": "the wrong list" });
    assert_eq!(shop.run(&["show", id]).await.json()["cancellation"], told);
    let delivered = first.count("delivered");
    assert!(delivered < 40_000);
    shop.receiver.set_delay(Duration::ZERO);
    assert_eq!(shop.run(&["sync", "all"]).await.count("delivered"), 40_000 - delivered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_folder_from_a_newer_version_is_left_alone() {
    let shop = Shop::new(5, Script::default()).await;
    shop.run(&["sync", "all"]).await;
    let control = rusqlite::Connection::open(shop.path(".ebb/control.db")).unwrap();
    control.pragma_update(None, "user_version", 9_999).unwrap();
    drop(control);
    let newer = shop.run(&["sync", "all"]).await;
    assert_eq!((newer.code, &newer.json()["error"]["code"]), (Some(2), &json!("R414")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_part_ends_the_sync_and_the_next_diff_finds_the_rest() {
    let shop = Shop::new(70_000, slow()).await;
    let mut child = shop.command(&["sync", "all"]).spawn().unwrap();
    loading(&shop).await;
    // The first part is being sent. Once the third is there the second one is in the books; it is
    // damaged while nobody reads.
    let third = loop {
        let parts = std::fs::read_dir(shop.path(".ebb/parts")).unwrap().flatten();
        let found = parts.map(|sync| sync.path().join("2.arrow")).find(|part| part.exists());
        if let Some(part) = found {
            break part;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let second = third.with_file_name("1.arrow");
    let mut bytes = std::fs::read(&second).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&second, bytes).unwrap();
    shop.receiver.set_delay(Duration::ZERO);
    let resumed = shop.run(&["sync", "all"]).await;
    assert_eq!(resumed.syncs()[0]["failure"]["code"], "R411", "{resumed:?}");
    assert_eq!(shop.run(&["sync", "all"]).await.count("extracted"), 0);
    assert_eq!(shop.receiver.record_count(), 70_000);
}
