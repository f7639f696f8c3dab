//! Records whose consent is missing, comes, and goes. In this world `value` is the column that tells of it: 1
//! is consent.

use ebb_core::{
    Code, Subscription,
    config::Demand,
    port::{Status, Store},
};
use ebb_engine::{Approval, Watch};

use crate::world::{Faults, World};

fn world(records: Subscription) -> World {
    let world = World::new(records, Faults::default(), 7);
    demand(&world, &[("advertising", "value")]);
    people(&world, &[("yes", 1), ("no", 0), ("unclear", 7)]);
    world
}

fn demand(world: &World, demands: &[(&str, &str)]) {
    let demand = |(category, column): &(&str, &str)| Demand {
        category: (*category).to_owned(),
        column: (*column).to_owned(),
    };
    *world.demands.lock().unwrap() = demands.iter().map(demand).collect();
}

fn people(world: &World, people: &[(&str, i64)]) {
    let rows = people.iter().map(|(id, value)| (Some((*id).to_owned()), *value));
    world.warehouse.set_rows(rows.collect());
}

fn sent(world: &World) -> Vec<(String, String)> {
    world.receiver.taken().into_iter().map(|taken| (taken.id, taken.event)).collect()
}

fn told(id: &str, event: &str) -> (String, String) {
    (id.to_owned(), event.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_record_without_consent_is_discarded_counted_and_told_without_its_values() {
    let world = world(Subscription::AddedOrUpdated);
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.status, Status::Partial);
    assert_eq!((sync.counts.delivered.added, sync.counts.discarded.added), (1, 2));
    assert!(sync.counts.add_up());
    assert_eq!(sent(&world), [told("yes", "new")]);
    let mut groups = world.store.failure_groups(sync.id).await.unwrap();
    groups.sort_by_key(|group| group.failure.message().len());
    let said: Vec<_> = groups
        .iter()
        .map(|group| (group.failure.message(), group.samples[0].record_id.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("the record has no consent to `advertising`", "no"),
            (
                "the record has no consent to `advertising`: neither true nor false stands in `value`",
                "unclear"
            ),
        ]
    );
    for group in &groups {
        assert_eq!(group.failure.code.reason(), Some("ErrConsent"));
        assert_eq!(group.samples[0].payload, "");
    }
    let again = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(again.counts.extracted.total(), 0, "it waits until the record changes");
}

#[tokio::test(start_paused = true)]
async fn a_record_is_sent_once_its_consent_comes_and_no_more_once_it_goes() {
    let world = world(Subscription::AddedOrUpdated);
    world.sync(1, Approval::Guarded).await.unwrap();
    people(&world, &[("yes", 0), ("no", 1), ("unclear", 7)]);
    let sync = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.counts.delivered.updated, sync.counts.discarded.updated), (1, 1));
    assert_eq!(sent(&world), [told("yes", "new"), told("no", "updated")]);
}

#[tokio::test(start_paused = true)]
async fn a_delete_goes_out_whatever_the_record_consented_to() {
    let world = world(Subscription::Deleted);
    world.sync(1, Approval::Guarded).await.unwrap();
    people(&world, &[("no", 0)]);
    let sync = world.sync(2, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!((sync.status, sync.counts.delivered.deleted), (Status::Succeeded, 2));
}

#[tokio::test(start_paused = true)]
async fn every_category_is_needed_and_the_missing_ones_are_named() {
    let world = world(Subscription::AddedOrUpdated);
    demand(&world, &[("advertising", "value"), ("analytics", "id")]);
    people(&world, &[("true", 1), ("false", 1), ("1", 0), ("0", 0)]);
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sent(&world), [told("true", "new")]);
    let mut said: Vec<_> = world.store.failure_groups(sync.id).await.unwrap();
    said.sort_by(|one, other| one.failure.message().cmp(other.failure.message()));
    let said: Vec<_> = said.iter().map(|group| group.failure.message()).collect();
    assert_eq!(
        said,
        [
            "the record has no consent to `advertising`",
            "the record has no consent to `advertising`, `analytics`",
            "the record has no consent to `analytics`",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_model_without_the_column_ends_the_sync_before_anything_is_asked_of_its_rows() {
    let world = world(Subscription::AddedOrUpdated);
    demand(&world, &[("advertising", "valeu")]);
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    let failure = sync.failure.unwrap();
    assert_eq!((sync.status, failure.code), (Status::Failed, Code::ConsentColumn));
    assert!(failure.advice().starts_with("Did you mean `value`?"), "{}", failure.advice());
    assert!(sync.diff.is_none());
    assert!(sent(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_looks_beforehand_is_told_as_well() {
    let world = world(Subscription::AddedOrUpdated);
    let plan = world.engine(1).dry_run(world.job(), 6).await.unwrap();
    let rejected: Vec<_> =
        plan.rejected.iter().map(|(id, failure)| (id.as_str(), failure.code)).collect();
    assert_eq!(rejected, [("no", Code::ConsentMissing), ("unclear", Code::ConsentMissing)]);
    assert_eq!(plan.batches[0].record_ids, ["yes"]);
    let refused = world.engine(2).trial(world.job(), "no").await.unwrap_err();
    assert_eq!(refused.code, Code::ConsentMissing);
    assert!(sent(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_demand_that_was_added_since_holds_for_a_replay() {
    let world = world(Subscription::AddedOrUpdated);
    demand(&world, &[]);
    let sync = world.sync(1, Approval::Guarded).await.unwrap().remove(0);
    assert_eq!(sync.counts.delivered.added, 3);
    demand(&world, &[("advertising", "value")]);
    let replay = world.engine(2).replay(&world, sync.id, &Watch::default()).await.unwrap();
    assert_eq!((replay.counts.delivered.added, replay.counts.discarded.added), (1, 2));
    assert_eq!(sent(&world).split_off(3), [told("yes", "new")]);
}
