//! Records by destination and month.

use ebb_core::{
    Code, Failure,
    port::{Status, Store, SyncRecord, Verdict},
    usage::Used,
};
use ebb_store::Database;
use serde_json::json;

use crate::given::{delivered, failed, id, sync};

fn of(destination: &str, number: u64, status: Status) -> SyncRecord {
    let plan = json!({ "mapping": { "destination": destination } });
    SyncRecord { plan, ..sync(number, status) }
}

/// The syncs of these tests begin in November 2023.
async fn used(database: &Database) -> Vec<(String, String, u64)> {
    let used = database.used("2023-11".parse().unwrap()).await.unwrap();
    let told = |Used { destination, cycle, records }| (destination, cycle.to_string(), records);
    used.into_iter().map(told).collect()
}

fn november(destination: &str, records: u64) -> (String, String, u64) {
    (destination.to_owned(), "2023-11".to_owned(), records)
}

#[tokio::test]
async fn a_sync_counts_by_its_journal_and_then_once_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.save(&of("crm", 1, Status::Loading)).await.unwrap();
    let mut unfit = failed(2, "c", "no e-mail");
    unfit.verdict = Verdict::Discarded;
    unfit.failure.as_mut().unwrap().0 = Failure::new(Code::PayloadInvalid, "no e-mail");
    let mut refused = failed(3, "d", "unknown");
    refused.verdict = Verdict::Discarded;
    let entries = vec![delivered(0), failed(1, "b", "down"), unfit, refused];
    database.record(id(1), 0, entries.clone()).await.unwrap();
    assert_eq!(used(&database).await, [november("crm", 3)]);
    drop(database);

    let database = Database::open(folder.path()).unwrap();
    database.record(id(1), 0, entries).await.unwrap();
    database.record(id(1), 0, vec![delivered(4)]).await.unwrap();
    assert_eq!(used(&database).await, [november("crm", 4)], "repeating counts nothing");
    let mut ended = of("crm", 1, Status::Failed);
    // What was not sent counts as failed once a sync has ended, and was not tried.
    ended.counts.failed.added = 90;
    for _ in 0..3 {
        database.save(&ended).await.unwrap();
        assert_eq!(used(&database).await, [november("crm", 4)]);
    }

    database.save(&of("crm", 2, Status::Loading)).await.unwrap();
    database.record(id(2), 0, vec![delivered(0)]).await.unwrap();
    database.save(&of("crm", 2, Status::Succeeded)).await.unwrap();
    database.save(&of("ads", 3, Status::Loading)).await.unwrap();
    database.record(id(3), 0, vec![delivered(0), delivered(1)]).await.unwrap();
    assert_eq!(used(&database).await, [november("crm", 5), november("ads", 2)]);
    database.purge(jiff::Timestamp::now()).await.unwrap();
    assert_eq!(
        used(&database).await,
        [november("crm", 5), november("ads", 2)],
        "syncs are forgotten"
    );
    assert_eq!(database.used("2023-12".parse().unwrap()).await.unwrap(), []);
}

#[tokio::test]
async fn a_month_is_that_in_which_a_sync_began() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let mut late = of("crm", 1, Status::Loading);
    late.started_at = "2023-11-30T23:59:59.9Z".parse().unwrap();
    let mut next = of("crm", 2, Status::Loading);
    next.started_at = "2023-12-01T00:00:00Z".parse().unwrap();
    for (sync, number) in [(&mut late, 1), (&mut next, 2)] {
        database.save(sync).await.unwrap();
        database.record(id(number), 0, vec![delivered(0)]).await.unwrap();
        sync.status = Status::Succeeded;
        sync.finished_at = Some("2023-12-01T01:00:00Z".parse().unwrap());
        database.save(sync).await.unwrap();
    }
    let december = ("crm".to_owned(), "2023-12".to_owned(), 1);
    assert_eq!(used(&database).await, [november("crm", 1), december]);
}
