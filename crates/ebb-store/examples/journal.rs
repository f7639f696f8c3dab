//! How many one-record outcomes a second the journal takes, with 50 in flight.
//!
//! `cargo run --release -p ebb-store --example journal [RECORDS]`
#![expect(clippy::print_stdout, reason = "it prints the figure")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ebb_core::{
    Counts, Operation, SyncId,
    port::{JournalEntry, Status, Store, SyncKind, SyncRecord, Verdict},
};
use ebb_store::Database;
use jiff::Timestamp;
use tokio::{task::JoinSet, time::Instant};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records = std::env::args().nth(1).map_or(Ok(300_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let began = Instant::now();
    drop(Database::open(folder.path())?);
    let first = began.elapsed();
    let began = Instant::now();
    let database = Arc::new(Database::open(folder.path())?);
    println!("opened anew in {first:?}, again in {:?}", began.elapsed());
    let id = SyncId::from_parts(1, 1);
    database.save(&loading(id)).await?;

    let next = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (database, next) = (Arc::clone(&database), Arc::clone(&next));
        tasks.spawn(async move {
            loop {
                let seq = next.fetch_add(1, Ordering::Relaxed);
                if seq >= records {
                    return Ok(());
                }
                let operation = Operation::Added;
                let verdict = Verdict::Delivered;
                let entry = JournalEntry { seq, operation, verdict, failure: None };
                database.record(id, 0, vec![entry]).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        let done: Result<(), ebb_core::Failure> = done?;
        done?;
    }
    let elapsed = began.elapsed();
    let rate = u128::from(records) * 1_000_000 / elapsed.as_micros().max(1);
    println!("{records} calls in {elapsed:?}: {rate} calls/s");
    let began = Instant::now();
    let delivered = database.outcomes(id).await?.delivered.len();
    println!("read {delivered} outcomes back in {:?}", began.elapsed());
    drop(database);
    println!("{} bytes on disk", std::fs::metadata(folder.path().join("control.db"))?.len());
    Ok(())
}

fn loading(id: SyncId) -> SyncRecord {
    SyncRecord {
        id,
        mapping: "journal".to_owned(),
        kind: SyncKind::Sync,
        status: Status::Loading,
        plan: serde_json::Value::Null,
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: None,
        phases: Vec::new(),
        diff: None,
        staged: false,
        counts: Counts::default(),
        failure: None,
        cancellation: None,
        changes_dropped: false,
        warnings: Vec::new(),
    }
}
