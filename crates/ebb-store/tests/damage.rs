//! State folders that cannot be used.

use std::{fs, os::unix::fs::PermissionsExt};

use ebb_core::{
    Code,
    port::{Status, Store},
};
use ebb_store::Database;

use crate::{
    children,
    given::{delivered, id, sync},
};

#[test]
fn a_file_that_is_no_database_is_told_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("control.db"), "not a database at all".repeat(500)).unwrap();
    let failure = Database::open(folder.path()).unwrap_err();
    assert_eq!(failure.code, Code::StateUnavailable);
    assert!(failure.message().ends_with("control.db` is damaged"), "{failure}");
    assert!(failure.advice().contains("tracked state is in the warehouse"));
}

#[tokio::test]
async fn a_damaged_page_is_told_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    drop(database);
    let file = folder.path().join("control.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let read = match Database::open(folder.path()) {
        Ok(database) => database.sync(id(1)).await.map(drop),
        Err(failure) => Err(failure),
    };
    let failure = read.unwrap_err();
    assert_eq!(failure.code, Code::StateUnavailable);
    assert!(failure.message().ends_with("is damaged"), "{failure}");
}

#[test]
fn a_state_folder_below_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let failure = Database::open(&folder.path().join("file/state")).unwrap_err();
    assert_eq!(failure.code, Code::StateUnavailable);
    assert!(failure.message().contains("cannot be made"), "{failure}");
}

#[tokio::test]
async fn nobody_else_may_read_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let database = Database::open(&state).unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    let mode = |name: &str| fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("control.db"), mode("control.db-wal")], [0o700, 0o600, 0o600]);
}

#[tokio::test]
#[ignore = "a child of another test"]
async fn journals_until_there_is_no_room() {
    let database = children::open();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    for seq in 0.. {
        if let Err(failure) = database.record(id(1), 0, vec![delivered(seq)]).await {
            println!("acknowledged {seq} {}", failure.code);
            return;
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_acknowledged_stays() {
    let folder = tempfile::tempdir().unwrap();
    let test = "damage::journals_until_there_is_no_room";
    let mut child = children::start_within(300, test, folder.path());
    let said = child.wait_for("acknowledged ");
    child.process.wait().unwrap();
    let (acknowledged, code) = said.split_once(' ').unwrap();
    assert_eq!(code, "R415");
    let acknowledged: u64 = acknowledged.parse().unwrap();
    assert!(acknowledged > 0);
    let database = Database::open(folder.path()).unwrap();
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), acknowledged);
    // With room again it goes on.
    database.record(id(1), 0, vec![delivered(acknowledged)]).await.unwrap();
    let counts = database.sync(id(1)).await.unwrap().counts;
    assert_eq!(counts.delivered.added, acknowledged + 1);
}
