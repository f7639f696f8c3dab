//! Connections that are lost.

use std::time::Duration;

use ebb_core::{
    Code,
    port::{Status, Store},
};
use tokio_postgres::Client;

use super::proxy::Proxy;
use crate::{
    given::{MAPPING, delivered, id, sync},
    home::{self, Home, admin},
};

/// Waits until so many sessions of a control database wait for a lock.
async fn waiting(admin: &Client, home: &Home) {
    let query = "select count(*) from pg_stat_activity
                 where application_name = $1 and wait_event_type = 'Lock'";
    for _ in 0..500 {
        let row = admin.query_one(query, &[&home.schema()]).await.unwrap();
        if row.get::<_, i64>(0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    unreachable!("nothing waits");
}

#[tokio::test]
async fn connections_that_are_cut_while_nobody_uses_them_are_replaced() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    let database = home.open();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    for seq in 0..20 {
        database.record(id(1), 0, vec![delivered(seq)]).await.unwrap();
        database.sync(id(1)).await.unwrap();
        assert_eq!(home.cut(&admin).await, 2, "one that writes, one that reads");
    }
    database.record(id(1), 0, (0..40).map(delivered).collect()).await.unwrap();
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), 40);
    assert_eq!(database.sync(id(1)).await.unwrap().counts.delivered.added, 40);
}

#[tokio::test]
async fn what_is_in_flight_when_a_connection_is_cut_fails_and_counts_once_when_it_is_repeated() {
    let Some(home) = Home::on_postgres() else { return };
    let (mut admin_of_tables, _connection) = admin().await;
    let (admin, _connection) = admin().await;
    let database = home.open();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    database.record(id(1), 0, vec![delivered(0)]).await.unwrap();

    let blocking = admin_of_tables.transaction().await.unwrap();
    let lock = format!("lock table {}.counts in exclusive mode", home.schema());
    blocking.batch_execute(&lock).await.unwrap();
    let cut = async {
        waiting(&admin, &home).await;
        home.cut(&admin).await;
    };
    let entries = vec![delivered(0), delivered(1)];
    let (recorded, ()) = tokio::join!(database.record(id(1), 0, entries.clone()), cut);
    blocking.rollback().await.unwrap();
    let failure = recorded.unwrap_err();
    assert_eq!(failure.code, Code::StateUnavailable);
    assert!(failure.message().contains("was lost"), "{failure}");

    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), 1);
    database.record(id(1), 0, entries).await.unwrap();
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), 2);
    assert_eq!(database.sync(id(1)).await.unwrap().counts.delivered.added, 2);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let Some(home) = Home::on_postgres() else { return };
    let proxy = Proxy::start(&home::cluster().unwrap());
    let url = proxy.through(&home.url().unwrap());
    let database = home::open(home.state(), Some(&url)).unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    for seq in 0..5 {
        proxy.keep_the_next_commits_answer();
        let failure = database.record(id(1), 0, vec![delivered(seq)]).await.unwrap_err();
        assert_eq!(failure.code, Code::StateUnavailable, "{failure}");
        // It was committed all the same; what is repeated adds nothing.
        database.record(id(1), 0, vec![delivered(seq), delivered(seq + 1)]).await.unwrap();
    }
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), 6);
    assert_eq!(database.sync(id(1)).await.unwrap().counts.delivered.added, 6);
}

#[tokio::test]
async fn a_lock_outlives_the_connection_that_held_it() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    let (database, other) = (home.open(), home.open());
    let lock = database.lock(MAPPING).await.unwrap();
    assert_eq!(other.lock(MAPPING).await.err().unwrap().code, Code::SyncRunning);
    home.cut(&admin).await;
    database.save(&sync(1, Status::Loading)).await.unwrap();
    assert_eq!(other.lock(MAPPING).await.err().unwrap().code, Code::SyncRunning);
    drop(lock);
    let taken = other.lock(MAPPING).await.unwrap();
    assert_eq!(database.lock(MAPPING).await.err().unwrap().code, Code::SyncRunning);
    drop((taken, other));
    database.lock(MAPPING).await.unwrap();
}

#[tokio::test]
async fn a_lock_is_taken_again_though_nobody_writes() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    let database = home.open();
    let _lock = database.lock(MAPPING).await.unwrap();
    let before = admin.query_one("select clock_timestamp()::text", &[]).await.unwrap();
    let before: String = before.get(0);
    home.cut(&admin).await;
    let holding = "select count(*) from pg_locks join pg_stat_activity using (pid)
                   where application_name = $1 and locktype = 'advisory'
                     and backend_start > $2::text::timestamptz";
    let began = tokio::time::Instant::now();
    while admin.query_one(holding, &[&home.schema(), &before]).await.unwrap().get::<_, i64>(0) == 0
    {
        assert!(began.elapsed().as_secs() < 30, "it was not taken again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(home.open().lock(MAPPING).await.err().unwrap().code, Code::SyncRunning);
}

#[tokio::test]
async fn who_lost_the_lock_with_the_connection_is_refused_when_another_took_it() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    let (database, other) = (home.open(), home.open());
    let _lock = database.lock(MAPPING).await.unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    home.cut(&admin).await;
    let _taken = other.lock(MAPPING).await.unwrap();
    let late = database.record(id(1), 0, vec![delivered(0)]).await.unwrap_err();
    assert_eq!(late.code, Code::SyncRunning, "{late}");
}
