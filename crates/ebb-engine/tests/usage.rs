//! Records of a month, and its limit. The world begins on 15 January 2027, 08:00.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ebb_core::{
    Code, Subscription,
    port::{Clock, Status, Store, SyncKind, SyncRecord},
    usage::Cycle,
};
use ebb_engine::{Approval, Entry, Outlook, Scheduler, Timetable, Watch, Work};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::world::{Faults, World};

const MAPPING: &str = "people-to-tool";

fn world(limit: u64, faults: Faults) -> World {
    let world = World::new(Subscription::AddedOrUpdated, faults, 7);
    world.limits.lock().unwrap().usage = Some(limit);
    people(&world, 0..100);
    world
}

fn people(world: &World, ids: std::ops::Range<i64>) {
    world.warehouse.set_rows(ids.map(|id| (Some(format!("id{id:03}")), id + 1)).collect());
}

fn cycle(text: &str) -> Cycle {
    text.parse().unwrap()
}

async fn used(world: &World, month: &str) -> u64 {
    let used = world.store.used(cycle("2000-01")).await.unwrap();
    assert!(used.iter().all(|used| used.destination == "tool"));
    used.iter().filter(|used| used.cycle == cycle(month)).map(|used| used.records).sum()
}

/// A scheduler of which this work is asked.
fn scheduler(world: &World, work: Work) -> Scheduler {
    let mut table = Timetable::default();
    let entry = Entry {
        schedule: serde_json::from_value(json!("manual")).unwrap(),
        source: "db".to_owned(),
        since: world.clock.now(),
        at_once: false,
        off: None,
    };
    table.set(MAPPING, entry);
    table.request(MAPPING, work);
    Scheduler::new(Arc::new(world.engine(1)), Arc::new(world.clone()), table)
}

async fn until(world: &World, moment: jiff::Timestamp) {
    let left = Duration::try_from(world.clock.now().duration_until(moment)).unwrap();
    tokio::time::sleep(left).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_tried_counts_and_what_was_never_sent_does_not() {
    let world = world(1_000, Faults { poison: Some(50), ..Faults::default() });
    let rows = (0..97).map(|id| (Some(format!("id{id:03}")), id + 1));
    let bad = ["bad1", "bad2"].map(|id| (Some(id.to_owned()), 7));
    world.warehouse.set_rows(rows.chain(bad).chain([(None, 1)]).collect());
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.counts.delivered.added, sync.counts.discarded.added), (96, 4));
    assert_eq!(used(&world, "2027-01").await, 97, "delivered, and refused by the tool");
    let replay = world.engine(2).replay(&world, sync.id, &Watch::default()).await.unwrap();
    assert_eq!(replay.counts.delivered.added, 96);
    assert_eq!(used(&world, "2027-01").await, 194, "a replay tries again");
}

#[tokio::test(start_paused = true)]
async fn a_sync_stops_at_the_limit_to_the_record_and_the_next_month_sends_the_rest() {
    let world = world(41, Faults::default());
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    let failure = sync.failure.clone().unwrap();
    assert_eq!((sync.status, failure.code), (Status::Failed, Code::UsageLimit));
    assert_eq!(failure.code.reason(), Some("ErrUsageLimit"));
    assert_eq!((sync.counts.delivered.added, sync.counts.failed.added), (41, 59));
    assert!(sync.counts.add_up());
    assert_eq!(world.warehouse.tracked_records().len(), 41);
    assert_eq!((used(&world, "2027-01").await, world.store.attempts_kept()), (41, 0));

    let refused = world.sync(2, Approval::Guarded).await.unwrap_err();
    assert_eq!(refused.code, Code::UsageLimit);
    assert!(refused.advice().contains("2027-02-01"), "{}", refused.advice());
    let replay = world.engine(3).replay(&world, sync.id, &Watch::default()).await.unwrap_err();
    assert_eq!(replay.code, Code::UsageLimit);
    assert_eq!(world.store.all().len(), 1, "nothing began");

    until(&world, cycle("2027-01").ends()).await;
    world.limits.lock().unwrap().usage = Some(60);
    let rest = world.sync(4, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((rest.status, rest.counts.delivered.added), (Status::Succeeded, 59));
    assert_eq!(world.receiver.taken().len(), 100, "each once");
    assert_eq!((used(&world, "2027-01").await, used(&world, "2027-02").await), (41, 59));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_just_enough_ends_well() {
    let world = world(100, Faults::default());
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.status, sync.counts.delivered.added), (Status::Succeeded, 100));
}

#[tokio::test(start_paused = true)]
async fn kills_lose_no_record_and_count_none_twice() {
    for seed in 0..40 {
        let faults = Faults { error: 50, cut: 30, per_record: true, ..Faults::default() };
        let world = world(70, faults);
        let mut random = fastrand::Rng::with_seed(seed);
        for attempt in 0..6 {
            let moment = Duration::from_millis(random.u64(0..120));
            let run = world.sync(seed * 10 + attempt, Approval::Guarded);
            drop(tokio::time::timeout(moment, run).await);
            assert!(used(&world, "2027-01").await <= 70, "seed {seed}");
        }
        *world.receiver.faults.lock().unwrap() = Faults::default();
        let mut attempt = 6;
        while world.sync(seed * 10 + attempt, Approval::Guarded).await.is_ok() {
            attempt += 1;
            assert!(attempt < 9, "seed {seed}: the limit is not reached");
        }
        let mut tried = 0;
        for sync in world.store.all() {
            let outcomes = world.store.outcomes(sync.id).await.unwrap();
            tried += outcomes.delivered.len() + outcomes.failed.len() + outcomes.discarded.len();
        }
        assert_eq!((used(&world, "2027-01").await, tried), (70, 70), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_began_before_midnight_counts_and_stops_in_its_own_month() {
    let world = world(41, Faults::default());
    until(&world, cycle("2027-01").ends() - Duration::from_millis(20)).await;
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert!(sync.finished_at.unwrap() >= cycle("2027-01").ends());
    assert_eq!((used(&world, "2027-01").await, used(&world, "2027-02").await), (41, 0));
    let next = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(next.counts.delivered.added, 41);
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_pauses_at_the_limit_and_goes_on_in_the_next_month_without_anybody() {
    let world = world(41, Faults::default());
    let scheduler = scheduler(&world, Work::Sync);
    let (told, stop) = (Mutex::new(Vec::new()), CancellationToken::new());
    let outlook = || scheduler.with(|table| table.outlook(MAPPING));
    let next = cycle("2027-01").ends();
    let story = async {
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(outlook(), Some(Outlook::Paused { until: next }));
        assert!(scheduler.with(|table| table.request(MAPPING, Work::Sync)));
        until(&world, next - Duration::from_hours(1)).await;
        assert_eq!(world.store.all().len(), 1, "nothing begins meanwhile");
        until(&world, next + Duration::from_mins(2)).await;
        assert_eq!(used(&world, "2027-02").await, 41);
        assert_eq!(outlook(), Some(Outlook::Paused { until: cycle("2027-02").ends() }));
        until(&world, cycle("2027-02").ends() + Duration::from_mins(2)).await;
        stop.cancel();
    };
    tokio::join!(
        scheduler.run(&stop, |sync: &SyncRecord| told.lock().unwrap().push(sync.status)),
        story
    );
    let told = told.into_inner().unwrap();
    assert_eq!(told, [Status::Failed, Status::Failed, Status::Succeeded]);
    assert_eq!(world.receiver.taken().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_backfill_that_meets_the_limit_is_finished_by_a_sync_of_the_next_month() {
    let world = world(130, Faults::default());
    world.sync(2, Approval::Guarded).await.unwrap();
    let scheduler = scheduler(&world, Work::Backfill);
    let (told, stop) = (Mutex::new(Vec::new()), CancellationToken::new());
    let story = async {
        until(&world, cycle("2027-01").ends() + Duration::from_mins(2)).await;
        stop.cancel();
    };
    let tell = |sync: &SyncRecord| told.lock().unwrap().push((sync.kind, sync.status));
    tokio::join!(scheduler.run(&stop, tell), story);
    let told = told.into_inner().unwrap();
    assert_eq!(told, [(SyncKind::Backfill, Status::Failed), (SyncKind::Sync, Status::Succeeded)]);
    assert_eq!(used(&world, "2027-02").await, 70);
    assert_eq!(world.receiver.taken().len(), 200, "each record once more, and none twice");
}
