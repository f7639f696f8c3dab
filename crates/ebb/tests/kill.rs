//! `kill -9` at random instants: nothing is lost, and only what was in flight is repeated.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::Duration,
};

use ebb_testkit::{Faults, Script, seeds};

use crate::shop::{Shop, total};

const PEOPLE: u32 = 50_000;
const KILLS: u32 = 50;
/// The webhook's batches in flight; what a kill may repeat.
const IN_FLIGHT: usize = 50;

/// The sums over the history so far.
#[derive(Default)]
struct Outcomes {
    delivered: u64,
    discarded: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_of_a_sync_on_a_bad_day_lose_nothing() {
    let seed = seeds(1).next().unwrap();
    let mut random = seed.random();
    let faults = Faults::rough(seed.number());
    let script = Script { delay: Duration::from_millis(10), ..Script::with_faults(faults) };
    let shop = Shop::new(PEOPLE, script).await;
    let mut kills_left = KILLS;
    let mut version = 1;
    let mut before = Outcomes::default();
    while kills_left > 0 {
        // One round: everybody has a new version, and the sync is killed until it gets through.
        let mut kills = 0;
        loop {
            if kills_left == 0 {
                break;
            }
            let mut child = shop.command(&["sync", "all"]);
            let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let instant = Duration::from_millis(random.u64(0..1_500));
            tokio::time::sleep(instant).await;
            if child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            kills_left -= 1;
        }
        before = check_round(&shop, version, kills, before).await;
        version += 1;
        shop.receiver.clear();
        shop.sql("update people set version = version + 1");
    }
}

/// Finishes a round without kills, and compares what the receiver has with what is in the table.
async fn check_round(shop: &Shop, version: i64, kills: usize, before: Outcomes) -> Outcomes {
    loop {
        let ran = shop.run(&["sync", "all"]).await;
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
        if ran.count("extracted") == 0 {
            break;
        }
    }
    let history = shop.run(&["syncs", "all", "--limit", "1000"]).await.syncs();
    let open: Vec<_> = history.iter().filter(|sync| sync["finished_at"].is_null()).collect();
    assert!(open.is_empty(), "syncs that never ended: {open:?}");
    for sync in &history {
        let sum = total(sync, "delivered") + total(sync, "failed") + total(sync, "discarded");
        assert_eq!(total(sync, "extracted"), sum, "I5 of {sync}");
    }

    // The last sync found nothing, so what is tracked is the table. Every person had one outcome in
    // every round, and who was not refused for good has arrived.
    let sum = |what: &str| history.iter().map(|sync| total(sync, what)).sum::<u64>();
    let rounds = version.unsigned_abs();
    let outcomes = sum("delivered") + sum("discarded");
    assert_eq!(outcomes, u64::from(PEOPLE) * rounds, "outcomes of {history:#?}");
    let delivered = sum("delivered") - before.delivered;
    let discarded = sum("discarded") - before.discarded;
    let versions = shop.versions("all");
    let arrived = versions.values().filter(|known| **known == version).count() as u64;
    assert!(arrived >= delivered, "{arrived} arrived, {delivered} were told as delivered");
    let missing = u64::from(PEOPLE) - arrived;
    assert!(missing <= discarded, "{missing} did not arrive, {discarded} were refused");
    check_repeats(shop, kills);
    Outcomes { delivered: sum("delivered"), discarded: sum("discarded") }
}

/// I2: repetitions bear the same message id, and only batches in flight at a kill are repeated, or
/// those whose answer was cut off.
fn check_repeats(shop: &Shop, kills: usize) {
    let requests = shop.receiver.requests();
    let mut repeated = BTreeSet::new();
    for (id, deliveries) in shop.receiver.records() {
        let mut ids: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
        for delivery in &deliveries {
            let version = delivery.item["properties"]["version"].as_i64().unwrap();
            ids.entry(version).or_default().insert(&delivery.message_id);
        }
        assert!(ids.values().all(|ids| ids.len() == 1), "message ids of `{id}`: {ids:?}");
        for earlier in deliveries.iter().rev().skip(1) {
            if requests[earlier.request].status == Some(200) {
                repeated.insert(earlier.request);
            }
        }
    }
    let most = kills * IN_FLIGHT;
    assert!(repeated.len() <= most, "{} batches repeated after {kills} kills", repeated.len());
    let twice = shop.receiver.ids_in_flight_twice();
    assert!(kills > 0 || twice.is_empty(), "in flight twice: {twice:?}");
}
