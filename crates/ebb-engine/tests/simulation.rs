//! Random scripts of edits, faults and kills, and what must hold after each of them.
//!
//! `SIM_SEED=17 cargo test -p ebb-engine simulation` replays one seed; `SIM_SEEDS=5000` tries more.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use ebb_core::{
    Operation, Subscription,
    port::{Status, SyncKind},
};
use ebb_engine::Approval;
use futures_util::FutureExt;

use crate::world::{BATCH, CONCURRENCY, Faults, World};

/// Seeds in a normal run.
const SEEDS: u64 = 1_200;

#[test]
fn every_seed_keeps_the_invariants() {
    let setting = |name| std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value);
    let number = |name| setting(name).map(|value| value.parse::<u64>().unwrap());
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let run = std::panic::catch_unwind(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap()
                .block_on(one(seed));
        });
        assert!(run.is_ok(), "seed {seed} failed; replay it with SIM_SEED={seed}");
    }
}

async fn one(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let records = *random
        .choice([
            Subscription::AddedOrUpdated,
            Subscription::AddedOrUpdated,
            Subscription::Added,
            Subscription::Updated,
            Subscription::Deleted,
        ])
        .as_ref()
        .unwrap();
    let faults = Faults {
        error: random.u32(0..120),
        busy: random.u32(0..40),
        cut: random.u32(0..40),
        lost: random.u32(0..40),
        per_record: random.bool(),
        poison: random.bool().then_some(13),
    };
    let world = World::new(records, faults, seed);
    *world.warehouse.lost.lock().unwrap() = random.u32(0..60);
    *world.parts.bad.lock().unwrap() = random.u32(0..60);
    let (mut restarts, mut kills) = (0, 0);
    let mut values = 0;
    for _ in 0..random.u32(1..5) {
        edit(&world, &mut values, &mut random);
        if random.u32(0..12) == 0 {
            *world.receiver.unauthorized.lock().unwrap() = true;
        }
        for _ in 0..random.u32(1..4) {
            restarts += 1;
            kills += run_and_maybe_die(&world, seed * 1000 + restarts, &mut random).await;
            check_ended(&world);
        }
        *world.receiver.unauthorized.lock().unwrap() = false;
    }
    calm(&world);
    settle(&world, seed).await;
    check_ended(&world);
    check_end(&world, records);
    check_repeats(&world, kills);
}

/// A sync by a new engine, killed at a random moment with some probability.
///
/// Gives how often it died: 0 or 1.
async fn run_and_maybe_die(world: &World, seed: u64, random: &mut fastrand::Rng) -> usize {
    // Now and then everything is to be sent again.
    let updates = world.mapping.lock().unwrap().records.takes(Operation::Updated);
    let backfills = updates && random.u32(0..5) == 0;
    let mut run = pin!(async {
        if backfills {
            world.backfill(seed, Approval::Approved).await
        } else {
            world.sync(seed, Approval::Approved).await
        }
    });
    match random.u32(0..3) {
        0 => {
            drop(run.await);
            0
        }
        1 => {
            let moment = Duration::from_millis(random.u64(0..400));
            usize::from(tokio::time::timeout(moment, run).await.is_err())
        }
        _ => {
            // Dies between two polls, wherever that is.
            for _ in 0..random.u32(1..60) {
                if run.as_mut().now_or_never().is_some() {
                    return 0;
                }
                tokio::time::sleep(Duration::from_micros(random.u64(0..3_000))).await;
            }
            1
        }
    }
}

/// Every value is new, so that no two changes have the same content and message id.
fn edit(world: &World, values: &mut i64, random: &mut fastrand::Rng) {
    let mut next = || {
        *values += 1;
        *values
    };
    let mut rows: BTreeMap<Option<String>, i64> = world.warehouse.rows().into_iter().collect();
    rows.remove(&None);
    for _ in 0..random.usize(0..60) {
        let id = match random.u32(0..40) {
            0 => format!("bad{}", random.u32(0..3)),
            _ => format!("id{}", random.u32(0..90)),
        };
        if random.u32(0..4) == 0 {
            rows.remove(&Some(id));
        } else {
            rows.insert(Some(id), next());
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    // Now and then rows that cannot be identified.
    if random.u32(0..3) == 0 {
        rows.push((None, next()));
    }
    if random.u32(0..3) == 0 {
        let again = random.choice(&rows).cloned();
        rows.extend(again.into_iter().map(|(id, _)| (id, next())));
    }
    world.warehouse.set_rows(rows);
}

fn calm(world: &World) {
    let poison = world.receiver.faults.lock().unwrap().poison;
    *world.receiver.faults.lock().unwrap() = Faults { poison, ..Faults::default() };
    *world.warehouse.lost.lock().unwrap() = 0;
    *world.parts.bad.lock().unwrap() = 0;
}

/// Syncs without faults until nothing is left to do.
async fn settle(world: &World, seed: u64) {
    for round in 0..4 {
        let ran = world.sync(seed ^ (round + 77), Approval::Approved).await.unwrap();
        let last = ran.last().unwrap();
        assert!(last.failure.is_none(), "{:?}", last.failure);
        let counts = last.counts;
        let discarded = last.diff.as_ref().unwrap().discarded.clone();
        if counts.extracted.total() == discarded.null + discarded.duplicates.total() {
            return;
        }
    }
    panic!("four calm syncs do not settle");
}

/// I5 and the legality of what has ended.
fn check_ended(world: &World) {
    for sync in world.store.all().iter().filter(|sync| sync.status.is_final()) {
        assert!(matches!(sync.kind, SyncKind::Sync | SyncKind::Backfill));
        if sync.diff.is_some() {
            assert!(sync.counts.add_up(), "I5: {:?} of {:?}", sync.counts, sync.status);
        }
        if sync.status == Status::Succeeded {
            assert_eq!(sync.counts.delivered, sync.counts.extracted);
        }
    }
    assert!(world.receiver.most_in_flight() <= CONCURRENCY, "more in flight than allowed");
}

/// I1, I2: what is tracked is the model, what the receiver has is what was subscribed to.
fn check_end(world: &World, records: Subscription) {
    let rows = world.warehouse.rows();
    let mut model: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (id, value) in rows {
        model.entry(id.unwrap_or_default()).or_default().push(value);
    }
    model.remove("");
    let poison = world.receiver.faults.lock().unwrap().poison;
    let tracked = world.warehouse.tracked_records();
    let last = world.receiver.last_values();
    for (id, values) in &model {
        let [value] = values.as_slice() else { continue };
        assert_eq!(tracked.get(id), Some(value), "tracked state of `{id}` is not the model's");
        let sent = poison.is_none_or(|poison| value % poison != 0) && !id.starts_with("bad");
        if sent && records == Subscription::AddedOrUpdated {
            assert_eq!(last.get(id), Some(&Some(*value)), "`{id}` did not arrive");
        }
    }
    for id in tracked.keys() {
        assert!(model.contains_key(id), "`{id}` is tracked and gone");
    }
    if records == Subscription::Deleted {
        let gone = world.receiver.taken();
        assert!(gone.iter().all(|taken| taken.event == Operation::Deleted.event()));
    }
    assert_eq!(world.warehouse.changes_tables(), 0, "changes tables are left behind");
}

/// I2: without a kill only lost answers make a batch go out twice; a kill repeats at most what was in
/// flight.
fn check_repeats(world: &World, kills: usize) {
    let repeats = world.receiver.repeats_without_reason();
    let in_flight = CONCURRENCY * BATCH;
    assert!(repeats.len() <= kills * in_flight, "{} repeats, {kills} kills", repeats.len());
}
