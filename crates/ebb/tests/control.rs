//! The control database on a PostgreSQL server, which the test script starts.

use std::process::Command;

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    faults::{loading, slow},
    postgres::Database,
    shop::{Ran, Shop, ran},
};

/// The binary in a shop, with its control database on a server.
fn command(shop: &Shop, database: &Database, arguments: &[&str]) -> Command {
    let mut command = shop.command(arguments);
    command.env("EBB_DATABASE_URL", format!("{}?application_name=control", database.url));
    command
}

async fn run(shop: &Shop, database: &Database, arguments: &[&str]) -> Ran {
    ran(command(shop, database, arguments)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_syncs_leave_behind_lies_on_the_server_that_is_named() {
    let Some(database) = Database::new().await else { return };
    let shop = Shop::new(300, slow()).await;
    shop.receiver.set_delay(std::time::Duration::ZERO);
    assert_eq!(run(&shop, &database, &["sync", "all"]).await.count("delivered"), 300);
    let url = format!("--database-url={}", database.url);
    assert_eq!(shop.run(&["syncs", "all", &url]).await.syncs().len(), 1);
    assert_eq!(run(&shop, &database, &["sync", "all"]).await.count("extracted"), 0);
    assert!(!shop.path(".ebb/control.db").exists());
    let rows = database.client.query_one("select count(*) from ebb.sync", &[]).await.unwrap();
    assert_eq!(rows.get::<_, i64>(0), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_machines_with_one_control_database_sync_a_mapping_one_after_the_other() {
    let Some(database) = Database::new().await else { return };
    database.people(10_000).await;
    let (here, there) = (database.shop_with(slow()).await, database.shop_with(slow()).await);
    let mut first = JoinSet::new();
    first.spawn(ran(command(&here, &database, &["sync", "all"])));
    loading(&here).await;
    let second = run(&there, &database, &["sync", "all"]).await;
    assert_eq!((second.code, &second.json()["error"]["code"]), (Some(2), &json!("R407")));
    let first = first.join_next().await.unwrap().unwrap();
    assert_eq!((first.code, first.count("delivered")), (Some(0), 10_000));
    assert_eq!(run(&there, &database, &["sync", "all"]).await.count("extracted"), 0);
    assert_eq!(there.receiver.record_count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_whose_control_database_is_cut_off_or_killed_loses_nothing() {
    let Some(database) = Database::new().await else { return };
    let shop = Shop::new(10_000, slow()).await;
    let mut cut_off = JoinSet::new();
    cut_off.spawn(ran(command(&shop, &database, &["sync", "all"])));
    loading(&shop).await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and application_name = 'control'";
    assert!(!database.client.query(cut, &[]).await.unwrap().is_empty());
    // It goes on, or it ends and the next one finishes it: that depends on what was in flight.
    cut_off.join_next().await.unwrap().unwrap();
    let mut killed = command(&shop, &database, &["sync", "all"]).spawn().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    shop.receiver.set_delay(std::time::Duration::ZERO);
    let last = run(&shop, &database, &["sync", "all"]).await;
    // What was killed while it extracted is told as failed, before the sync that makes up for it.
    assert_eq!(last.syncs().last().unwrap()["status"], "succeeded", "{last:?}");
    assert_eq!(shop.versions("all").len(), 10_000);
    assert_eq!(run(&shop, &database, &["sync", "all"]).await.count("extracted"), 0);
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_told_and_the_password_is_not() {
    let shop = Shop::new(1, slow()).await;
    for (url, code) in [
        ("postgres://ann:hunter2@127.0.0.1:1/shop", "R415"),
        ("postgres://ann:hunter2@:hunter2/shop", "C504"),
        ("mysql://ann:hunter2@h/shop", "C504"),
    ] {
        let mut command = shop.command(&["sync", "all"]);
        command.env("EBB_DATABASE_URL", url).env("EBB_LOG", "debug");
        let refused = ran(command).await;
        assert_eq!((refused.code, &refused.json()["error"]["code"]), (Some(2), &json!(code)));
        assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    }
}
