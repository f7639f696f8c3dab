//! A scheduler over the same world, in virtual time.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use ebb_core::{
    Failure, Schedule, Subscription,
    port::{Clock, Store, SyncRecord},
};
use ebb_engine::{Cause, Entry, Mappings, Outlook, Plan, Scheduler, Timetable, Work};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::world::{Faults, World};

const MAPPING: &str = "people-to-tool";

impl Mappings for World {
    fn plan(&self, _: &str) -> Result<Plan, Failure> {
        Ok(Self::plan(self))
    }
}

fn world() -> World {
    let world = World::new(Subscription::AddedOrUpdated, Faults::default(), 7);
    world.warehouse.set_rows((0..10).map(|id| (Some(format!("id{id}")), id + 1)).collect());
    world
}

fn hourly(world: &World) -> Entry {
    Entry {
        schedule: serde_json::from_value::<Schedule>(json!({ "every": "1h" })).unwrap(),
        source: "db".to_owned(),
        since: world.clock.now(),
        at_once: true,
        off: None,
    }
}

/// A scheduler of the world's mapping, what it told so far, and its end.
struct Running {
    scheduler: Arc<Scheduler>,
    told: Arc<Mutex<Vec<SyncRecord>>>,
    stop: CancellationToken,
    ended: JoinSet<()>,
}

fn run(world: &World) -> Running {
    let mut table = Timetable::default();
    table.set(MAPPING, hourly(world));
    let engine = Arc::new(world.engine(1));
    let scheduler = Arc::new(Scheduler::new(engine, Arc::new(world.clone()), table));
    let (told, stop) = (Arc::<Mutex<Vec<SyncRecord>>>::default(), CancellationToken::new());
    let mut ended = JoinSet::new();
    ended.spawn({
        let (scheduler, told, stop) = (Arc::clone(&scheduler), Arc::clone(&told), stop.clone());
        async move {
            scheduler.run(&stop, |sync| told.lock().unwrap().push(sync.clone())).await;
        }
    });
    Running { scheduler, told, stop, ended }
}

#[tokio::test(start_paused = true)]
async fn syncs_start_at_once_and_then_by_the_hour() {
    let world = world();
    let running = run(&world);
    tokio::time::sleep(Duration::from_mins(181)).await;
    running.stop.cancel();
    running.ended.join_all().await;
    let told = running.told.lock().unwrap();
    let causes: Vec<Cause> = told.iter().map(|sync| Plan::of(sync).unwrap().cause).collect();
    assert_eq!(told.len(), 4);
    // The world begins at 08:00.
    for (sync, cause) in told.iter().zip(&causes).skip(1) {
        assert_eq!(*cause, Cause::Schedule { due: due(sync) });
        assert_eq!(cause.late(sync.started_at), None);
    }
    assert_eq!(world.receiver.taken().len(), 10);
}

/// The full hour at which a sync began.
fn due(sync: &SyncRecord) -> jiff::Timestamp {
    sync.started_at.round(jiff::Unit::Hour).unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_served_between_two_moments_of_the_schedule() {
    let world = world();
    let running = run(&world);
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(running.scheduler.with(|table| table.request(MAPPING, Work::Sync)));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let told = running.told.lock().unwrap().clone();
    assert_eq!(Plan::of(&told[1]).unwrap().cause, Cause::Request);
    let outlook = running.scheduler.with(|table| table.outlook(MAPPING));
    let next = world.clock.now() + Duration::from_secs(50 * 60 - 5);
    assert_eq!(outlook, Some(Outlook::Due { at: next.round(jiff::Unit::Hour).unwrap() }));
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_that_stops_lets_its_syncs_end_and_starts_no_more() {
    let world = world();
    world.warehouse.breaks_streams.store(u32::MAX, Ordering::Relaxed);
    let running = run(&world);
    tokio::time::sleep(Duration::from_millis(30)).await;
    running.stop.cancel();
    running.ended.join_all().await;
    let told = running.told.lock().unwrap().len();
    assert_eq!(told, 1);
    assert!(world.store.unfinished(MAPPING).await.unwrap().is_none());
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(world.store.all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_cannot_be_planned_does_not_stop_the_others() {
    struct Half(World);

    impl ebb_engine::Jobs for Half {
        fn job(&self, plan: Plan) -> Result<ebb_engine::Job, Failure> {
            ebb_engine::Jobs::job(&self.0, plan)
        }
    }

    impl Mappings for Half {
        fn plan(&self, mapping: &str) -> Result<Plan, Failure> {
            match mapping {
                MAPPING => Ok(self.0.plan()),
                "panics" => panic!("it was to"),
                other => Err(Failure::new(ebb_core::Code::ConfigName, other)),
            }
        }
    }

    let world = world();
    let mut table = Timetable::default();
    for mapping in ["broken", "panics", MAPPING] {
        table.set(mapping, hourly(&world));
    }
    let engine = Arc::new(world.engine(1));
    let scheduler = Scheduler::new(engine, Arc::new(Half(world.clone())), table);
    let (told, stop) = (Mutex::new(0), CancellationToken::new());
    let end = async {
        tokio::time::sleep(Duration::from_mins(90)).await;
        stop.cancel();
    };
    tokio::join!(scheduler.run(&stop, |_| *told.lock().unwrap() += 1), end);
    assert_eq!(*told.lock().unwrap(), 2);
    let outlook = scheduler.with(|table| table.outlook("panics"));
    assert!(matches!(outlook, Some(Outlook::Due { .. })), "{outlook:?}");
}
