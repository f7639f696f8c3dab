//! I6, whoever starts a sync.

use ebb_core::{
    Code,
    port::{Status, Store},
};

use crate::{
    children,
    given::{MAPPING, delivered, id, sync},
    home::{Home, on_both_engines},
};

async fn a_lock_is_held_once_per_mapping_until_it_is_dropped(home: Home) {
    let database = home.open();
    let lock = database.lock(MAPPING).await.unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    let failure = database.lock(MAPPING).await.err().unwrap();
    assert_eq!(failure.code, Code::SyncRunning);
    assert!(failure.message().contains(&id(1).to_string()), "{failure}");
    let other = database.lock("Others/to hook").await.unwrap();
    assert!(database.lock("others/to hook").await.is_ok(), "names differ by case");
    drop((lock, other));
    assert!(database.lock(MAPPING).await.is_ok());
}

#[tokio::test]
#[ignore = "a child of another test"]
async fn holds_the_lock_until_it_is_killed() {
    let database = children::open();
    let _lock = database.lock(MAPPING).await.unwrap();
    database.record(id(1), 0, vec![delivered(1)]).await.unwrap();
    println!("locked");
    std::future::pending::<()>().await;
}

async fn another_process_has_the_lock_until_its_death_and_its_outcomes_count(home: Home) {
    let database = home.open();
    let lock = database.lock(MAPPING).await.unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    database.record(id(1), 0, vec![delivered(0)]).await.unwrap();
    drop(lock);

    let mut child = children::start_at(&home, "locks::holds_the_lock_until_it_is_killed");
    child.wait_for("locked");
    assert_eq!(database.lock(MAPPING).await.err().unwrap().code, Code::SyncRunning);
    let late = database.record(id(1), 0, vec![delivered(2)]).await.unwrap_err();
    assert_eq!(late.code, Code::SyncRunning, "a stale holder's write is refused");
    let late = database.save(&sync(1, Status::Failed)).await.unwrap_err();
    assert_eq!(late.code, Code::SyncRunning);
    child.kill();

    let _lock = database.lock(MAPPING).await.unwrap();
    database.record(id(1), 0, vec![delivered(0), delivered(1), delivered(2)]).await.unwrap();
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), 3);
    assert_eq!(database.sync(id(1)).await.unwrap().counts.delivered.added, 3);
}

async fn one_server_works_with_a_control_database_at_a_time(home: Home) {
    let (database, other) = (home.open(), home.open());
    let serving = database.serve().await.unwrap();
    for refused in [other.serve().await, database.serve().await] {
        let failure = refused.unwrap_err();
        assert_eq!(failure.code, Code::StateUnavailable);
        assert!(failure.message().starts_with("a server runs already over the "), "{failure}");
    }
    other.lock(MAPPING).await.unwrap();
    drop(serving);
    other.serve().await.unwrap();
}

on_both_engines! {
    one_server_works_with_a_control_database_at_a_time,
    a_lock_is_held_once_per_mapping_until_it_is_dropped,
    another_process_has_the_lock_until_its_death_and_its_outcomes_count,
}
