//! Single stories, each with one thing going wrong.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use ebb_core::{
    Code, Limits, Subscription, SyncId,
    config::Guards,
    port::{Cancellation, Clock, Status, Store, SyncKind, SyncRecord, Warehouse},
};
use ebb_engine::{Approval, Need, Retries, Watch};

use crate::world::{Faults, World};

fn world(faults: Faults) -> World {
    let world = World::new(Subscription::AddedOrUpdated, faults, 7);
    people(&world, 0..100);
    world
}

fn people(world: &World, ids: std::ops::Range<i64>) {
    world.warehouse.set_rows(ids.map(|id| (Some(format!("id{id:03}")), id + 1)).collect());
}

#[tokio::test(start_paused = true)]
async fn everything_is_delivered_once_and_nothing_the_second_time() {
    let world = world(Faults::default());
    let first = world.sync(1, Approval::Guarded).await.unwrap();
    assert_eq!(first[0].status, Status::Succeeded);
    assert_eq!(first[0].counts.delivered.added, 100);
    let second = world.sync(2, Approval::Guarded).await.unwrap();
    assert_eq!(second[0].counts.extracted.total(), 0);
    assert_eq!(world.receiver.taken().len(), 100);
    assert_eq!(world.receiver.requests(), 25, "4 records a batch");
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_halved_until_the_bad_record_stands_alone() {
    let world = world(Faults { poison: Some(50), ..Faults::default() });
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.status, Status::Partial);
    assert_eq!((sync.counts.delivered.added, sync.counts.discarded.added), (98, 2));
    let groups = world.store.failure_groups(sync.id).await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].failure.code, groups[0].count), (Code::DestinationRejected, 2));
    assert!(groups[0].samples[0].payload.contains("\"value\":50"), "{groups:?}");
}

/// What a sync did not deliver: the identifier, the code and the number of each line.
async fn undelivered(world: &World, sync: &SyncRecord) -> Vec<(Option<String>, Code, u64)> {
    let mut reader = world.engine(90).undelivered(sync).await.unwrap();
    let mut all = Vec::new();
    while let Some(found) = reader.next().await.unwrap() {
        all.extend(found.into_iter().map(|line| (line.record_id, line.failure.code, line.records)));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn every_record_that_was_not_delivered_is_told_with_its_reason() {
    let world = world(Faults { poison: Some(50), ..Faults::default() });
    let rejected = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    let told = undelivered(&world, &rejected).await;
    assert_eq!(told.len(), 2, "more than the sample that is kept: {told:?}");
    assert!(told.iter().all(|(id, code, records)| {
        id.is_some() && *code == Code::DestinationRejected && *records == 1
    }));

    *world.receiver.unauthorized.lock().unwrap() = true;
    people(&world, 0..140);
    let ended = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    let told = undelivered(&world, &ended).await;
    let number = ended.counts.failed.total();
    assert_eq!(told.iter().map(|(.., records)| records).sum::<u64>(), number);
    assert!(told.iter().all(|(_, code, _)| *code == Code::DestinationAuth), "{told:?}");

    world.store.forget_parts(rejected.id).await.unwrap();
    let told = undelivered(&world, &rejected).await;
    let samples = told.iter().filter(|(id, ..)| id.is_some()).count();
    assert_eq!((samples, told.iter().map(|(.., records)| records).sum::<u64>()), (1, 2));
    world.store.forget_parts(ended.id).await.unwrap();
    assert_eq!(undelivered(&world, &ended).await, [(None, Code::DestinationAuth, number)]);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_end_the_sync_as_one_failure_and_cost_no_attempt() {
    let world = world(Faults::default());
    *world.receiver.unauthorized.lock().unwrap() = true;
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.status, Status::Failed);
    assert_eq!(sync.failure.unwrap().code, Code::DestinationAuth);
    assert_eq!(sync.counts.failed.added, 100);
    assert!(world.receiver.requests() < 10, "the sync went on after a 401");
    assert_eq!(world.store.attempts_kept(), 0);
    *world.receiver.unauthorized.lock().unwrap() = false;
    let sync = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.delivered.added, 100);
}

#[tokio::test(start_paused = true)]
async fn a_sync_whose_commit_was_not_answered_ends_as_it_would_have() {
    let world = world(Faults::default());
    *world.receiver.unauthorized.lock().unwrap() = true;
    world.warehouse.loses_commits.store(Retries::of_sources().tries, Ordering::Relaxed);
    let lost = world.sync(1, Approval::Guarded).await.unwrap_err();
    assert_eq!(lost.code, Code::SourceLost);
    *world.receiver.unauthorized.lock().unwrap() = false;
    let [ended, next] = world.sync(2, Approval::Guarded).await.unwrap().try_into().unwrap();
    assert_eq!((ended.status, ended.counts.failed.added), (Status::Failed, 100));
    assert_eq!(ended.failure.unwrap().code, Code::DestinationAuth);
    assert_eq!((next.status, next.counts.delivered.added), (Status::Succeeded, 100));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_goes_away_for_a_while_is_asked_again() {
    let world = world(Faults::default());
    world.warehouse.breaks_streams.store(15, Ordering::Relaxed);
    world.warehouse.loses_commits.store(3, Ordering::Relaxed);
    let [sync] = world.sync(1, Approval::Guarded).await.unwrap().try_into().unwrap();
    assert_eq!((sync.status, sync.counts.delivered.added), (Status::Succeeded, 100));
    assert_eq!(world.receiver.taken().len(), 100, "nothing goes out twice");
    assert_eq!(world.warehouse.breaks_streams.load(Ordering::Relaxed), 0);
    assert_eq!(world.warehouse.loses_commits.load(Ordering::Relaxed), 0);
    assert_eq!(world.warehouse.tracked_records().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_to_stop_does_not_wait_for_its_source() {
    let world = world(Faults::default());
    world.warehouse.loses_commits.store(u32::MAX, Ordering::Relaxed);
    let watch = Watch::default();
    let engine = world.engine(1);
    let sync = engine.sync(&world, world.plan(), Approval::Guarded, &watch);
    let commits_lost = || u32::MAX - world.warehouse.loses_commits.load(Ordering::Relaxed);
    let stop = async {
        while commits_lost() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        watch.stop.cancel();
    };
    let (ended, ()) = tokio::join!(sync, stop);
    assert_eq!(ended.unwrap_err().code, Code::SourceLost);
    assert!(commits_lost() <= 2, "{} tries after it was to stop", commits_lost());
}

#[tokio::test(start_paused = true)]
async fn a_failed_record_is_tried_again_with_its_newest_value_and_given_up_after_five_syncs() {
    let world = world(Faults { error: 1000, ..Faults::default() });
    people(&world, 0..3);
    for attempt in 1..=4 {
        let sync = world.sync(attempt, Approval::Guarded).await.unwrap().remove(0);
        assert_eq!((sync.status, sync.counts.failed.added), (Status::Partial, 3), "{attempt}");
        people(&world, 0..3);
    }
    let sync = world.sync(5, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.discarded.added, 3);
    let groups = world.store.failure_groups(sync.id).await.unwrap();
    assert_eq!(groups[0].failure.code, Code::GivenUp);
    let sync = world.sync(6, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.extracted.total(), 0, "what is given up stays given up");
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_down_ends_the_sync_after_some_batches() {
    let world = world(Faults { error: 1000, ..Faults::default() });
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.status, Status::Failed);
    assert_eq!(sync.failure.unwrap().code, Code::DestinationDown);
    assert_eq!(sync.counts.failed.added, 100);
    assert!(world.receiver.requests() < 100, "{} requests", world.receiver.requests());
}

#[tokio::test(start_paused = true)]
async fn a_canceled_sync_commits_what_was_delivered_and_the_next_one_sends_the_rest() {
    let world = world(Faults { busy: 300, ..Faults::default() });
    let watch = Watch::default();
    let engine = world.engine(1);
    let sync = engine.sync(&world, world.plan(), Approval::Guarded, &watch);
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let running = world.store.unfinished("people-to-tool").await.unwrap().unwrap();
        let by = Cancellation::new("ada", "").unwrap();
        world.store.request_cancel(running.id, &by).await.unwrap();
    };
    let (ran, ()) = tokio::join!(sync, cancel);
    let sync = ran.unwrap().remove(0);
    assert_eq!(sync.status, Status::Canceled);
    let delivered = sync.counts.delivered.added;
    assert!(delivered > 0 && delivered < 100, "{delivered}");
    assert_eq!(world.warehouse.tracked_records().len() as u64, delivered);
    let rest = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(rest.counts.delivered.added, 100 - delivered);
    assert_eq!(world.receiver.taken().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn too_many_deletes_are_held_until_approved() {
    let world = world(Faults::default());
    world.mapping.lock().unwrap().guards = Guards::default();
    world.sync(1, Approval::Guarded).await.unwrap();
    people(&world, 0..40);
    let held = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(held.status, Status::Held);
    assert_eq!(held.failure.unwrap().code, Code::Held);
    assert_eq!(world.warehouse.tracked_records().len(), 100);
    assert_eq!(world.warehouse.changes_tables(), 0);
    let approved = world.sync(3, Approval::Approved).await.unwrap().remove(0);
    assert_eq!(approved.counts.not_subscribed.deleted, 60);
    assert_eq!(world.warehouse.tracked_records().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn another_recipe_is_held_and_a_rebase_takes_it_over_without_sending() {
    let world = world(Faults::default());
    world.sync(1, Approval::Guarded).await.unwrap();
    world.warehouse.upgrade_engine();
    let held = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(held.failure.unwrap().code, Code::RecipeChanged);
    let (_, records) = world.engine(3).rebase(&world, world.plan()).await.unwrap();
    assert_eq!(records, 0);
    let sync = world.sync(4, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.status, sync.counts.extracted.total()), (Status::Succeeded, 0));
}

#[tokio::test(start_paused = true)]
async fn a_replay_sends_the_same_changes_with_the_same_message_ids() {
    let world = world(Faults::default());
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    let before = world.receiver.taken();
    people(&world, 0..10);
    let watch = Watch::default();
    let replay = world.engine(2).replay(&world, sync.id, &watch).await.unwrap();
    assert_eq!((replay.status, replay.counts.delivered.added), (Status::Succeeded, 100));
    let mut first = before.clone();
    let mut again = world.receiver.taken().split_off(before.len());
    first.sort_by(|one, other| one.id.cmp(&other.id));
    again.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(first, again);
    assert_eq!(world.warehouse.tracked_records().len(), 100, "a replay commits nothing");
}

#[tokio::test(start_paused = true)]
async fn a_backfill_sends_everything_again_as_updates() {
    let world = world(Faults::default());
    world.sync(1, Approval::Guarded).await.unwrap();
    people(&world, 0..101);
    let sync = world.backfill(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.kind, sync.status), (SyncKind::Backfill, Status::Succeeded));
    assert_eq!((sync.counts.delivered.updated, sync.counts.delivered.added), (100, 1));
    let after = world.sync(3, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(after.counts.extracted.total(), 0);
    // Another engine's checksums do not hold it: everything is sent anyway.
    world.warehouse.upgrade_engine();
    let again = world.backfill(4, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(again.counts.delivered.updated, 101);
    let after = world.sync(5, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(after.counts.extracted.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_backfill_does_not_deliver_the_next_sync_does() {
    let world = world(Faults::default());
    world.sync(1, Approval::Guarded).await.unwrap();
    *world.receiver.unauthorized.lock().unwrap() = true;
    let failed = world.backfill(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((failed.status, failed.counts.delivered.total()), (Status::Failed, 0));
    *world.receiver.unauthorized.lock().unwrap() = false;
    let next = world.sync(3, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((next.kind, next.counts.delivered.updated), (SyncKind::Sync, 100));
    assert_eq!(world.receiver.taken().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_backfill_that_is_held_changes_nothing() {
    let world = world(Faults::default());
    world.mapping.lock().unwrap().guards = Guards::default();
    world.sync(1, Approval::Guarded).await.unwrap();
    people(&world, 0..40);
    let held = world.backfill(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((held.kind, held.status), (SyncKind::Backfill, Status::Held));
    people(&world, 0..100);
    let sync = world.sync(3, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.extracted.total(), 0);
    people(&world, 0..40);
    let approved = world.backfill(4, Approval::Approved).await.unwrap().remove(0);
    assert_eq!(approved.counts.delivered.updated, 40);
    assert_eq!(world.warehouse.tracked_records().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_backfill_that_is_killed_goes_on_and_sends_each_record_once_more() {
    for milliseconds in (0..400).step_by(7) {
        let world = world(Faults::default());
        world.sync(1, Approval::Guarded).await.unwrap();
        let moment = Duration::from_millis(milliseconds);
        drop(tokio::time::timeout(moment, world.backfill(2, Approval::Guarded)).await);
        let resumed = world.sync(3, Approval::Guarded).await.unwrap();
        let all = world.store.all();
        let backfill = all.iter().find(|sync| sync.kind == SyncKind::Backfill);
        let expected = match backfill {
            Some(backfill) if backfill.diff.is_some() => 200,
            Some(backfill) => {
                assert_eq!(backfill.failure.as_ref().unwrap().code, Code::Interrupted);
                100
            }
            None => 100,
        };
        let last = resumed.last().unwrap();
        assert_eq!(last.counts.extracted.total(), 0, "after {milliseconds} ms");
        let mut taken: Vec<_> =
            world.receiver.taken().into_iter().map(|taken| (taken.id, taken.event)).collect();
        taken.sort();
        taken.dedup();
        assert_eq!(taken.len(), expected, "after {milliseconds} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_backfill_of_a_mapping_without_updates_is_refused() {
    let world = World::new(Subscription::Added, Faults::default(), 7);
    people(&world, 0..3);
    world.sync(1, Approval::Guarded).await.unwrap();
    let refused = world.backfill(2, Approval::Guarded).await.unwrap_err();
    assert_eq!(refused.code, Code::BackfillUnsent);
    assert!(refused.message().contains("`added` alone"), "{refused}");
    assert_eq!(world.store.all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reset_sends_everything_as_added() {
    let world = world(Faults::default());
    world.sync(1, Approval::Guarded).await.unwrap();
    world.engine(2).reset("people-to-tool", &*world.warehouse).await.unwrap();
    let sync = world.sync(3, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.delivered.added, 100);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_was_made_again_begins_with_nothing_once() {
    let world = world(Faults::default());
    world.sync(1, Approval::Guarded).await.unwrap();
    world.store.remake("people-to-tool", 5);
    let sync = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.counts.delivered.added, sync.counts.delivered.updated), (100, 0));
    let sync = world.sync(3, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.extracted.total(), 0);
    world.store.remake("people-to-tool", 6);
    let plan = world.engine(4).dry_run(world.job(), 0).await.unwrap();
    assert_eq!(plan.diff.changes.added, 100);
    let sync = world.sync(5, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.delivered.added, 100, "who looked has forgotten it, and sent nothing");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_requests_and_leaves_nothing_behind() {
    let world = world(Faults::default());
    let plan = world.engine(1).dry_run(world.job(), 6).await.unwrap();
    assert_eq!(plan.diff.changes.added, 100);
    assert_eq!(plan.batches.len(), 2);
    assert_eq!(plan.batches[0].record_ids, ["id000", "id001", "id002", "id003"]);
    assert!(plan.batches[0].requests[0].body.starts_with("[{\"type\":\"track\""));
    assert_eq!(world.receiver.requests(), 0);
    assert_eq!(world.warehouse.changes_tables(), 0);
    assert!(world.warehouse.tracked_records().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_trial_sends_one_record_and_tracks_nothing() {
    let world = world(Faults::default());
    let trial = world.engine(1).trial(world.job(), "id042").await.unwrap();
    assert!(trial.outcome.is_ok());
    assert_eq!(trial.exchanges[0].reply.status, 200);
    assert_eq!(world.receiver.taken()[0].value, Some(43));
    assert!(world.warehouse.tracked_records().is_empty());
    let missing = world.engine(2).trial(world.job(), "nobody").await.unwrap_err();
    assert_eq!(missing.code, Code::RecordNotFound);
}

#[tokio::test(start_paused = true)]
async fn two_syncs_of_one_mapping_do_not_run_at_once() {
    let world = world(Faults::default());
    let (one, other) =
        tokio::join!(world.sync(1, Approval::Guarded), world.sync(2, Approval::Guarded));
    let refused = [one.err(), other.err()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code, Code::SyncRunning);
    assert_eq!(world.receiver.taken().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn an_updated_mapping_takes_its_snapshot_first() {
    let world = World::new(Subscription::Updated, Faults::default(), 7);
    people(&world, 0..20);
    let first = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((first.counts.extracted.total(), first.counts.not_subscribed.added), (0, 20));
    world.warehouse.set_rows(vec![(Some("id003".to_owned()), 999), (Some("new".to_owned()), 1)]);
    let second = world.sync(2, Approval::Approved).await.unwrap().remove(0);
    assert_eq!(second.counts.delivered.updated, 1);
    let taken = world.receiver.taken();
    assert_eq!((taken.len(), taken[0].value, taken[0].event.as_str()), (1, Some(999), "updated"));
}

#[tokio::test(start_paused = true)]
async fn leftovers_are_dropped_when_their_sync_is_over_or_too_old_to_go_on() {
    const DAY: Duration = Duration::from_hours(24);
    let world = world(Faults::default());
    let engine = world.engine(1);
    let now = u64::try_from(world.clock.now().as_millisecond()).unwrap();
    let milliseconds = |days: u64| days * 24 * 60 * 60 * 1000;
    // Two syncs of another Ebb, and two of this one: the second was interrupted.
    let foreign = [2, 8].map(|days| SyncId::from_parts(now - milliseconds(days), 1));
    let over = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    let mut open = over.clone();
    open.id = SyncId::from_parts(now, 2);
    open.status = Status::Loading;
    world.store.save(&open).await.unwrap();
    for sync in [foreign[0], foreign[1], over.id, open.id] {
        world.warehouse.diff(&world.job().diff_job(sync, &Limits::default())).await.unwrap();
    }
    let leftovers = engine.leftovers(&*world.warehouse, DAY * 7).await.unwrap();
    let needs: BTreeMap<_, _> =
        leftovers.iter().map(|leftover| (leftover.sync, leftover.need.clone())).collect();
    let mapping = "people-to-tool".to_owned();
    let expected = [
        (foreign[0], Need::Unknown),
        (foreign[1], Need::Over),
        (over.id, Need::Over),
        (open.id, Need::Open { mapping }),
    ];
    assert_eq!(needs, BTreeMap::from(expected));
    assert_eq!(engine.clean(&*world.warehouse, &leftovers).await, Ok(2));
    let left = engine.leftovers(&*world.warehouse, DAY * 7).await.unwrap();
    assert_eq!(left.iter().map(|left| left.sync).collect::<Vec<_>>(), [foreign[0], open.id]);
}
