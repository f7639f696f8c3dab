//! The PostgreSQL source beside its bare parts: the diff against the one-pass statement that the
//! server could not do without, the stream of changes in rows per second.
//!
//!     EBB_TEST_POSTGRES_URL=… cargo bench -p ebb-warehouse --bench postgres [ROWS]
//!
//! Runs alternate, so that what else the machine does falls on both alike; the medians are compared.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement ends at the first thing that is wrong, and says what it saw"
)]

use std::time::{Duration, Instant};

use ebb_core::{
    Limits, Operation, SyncId,
    config::MANAGED_SCHEMA,
    port::{Commit, DiffJob, ModelQuery, Warehouse},
};
use futures_util::TryStreamExt;
use roaring::RoaringTreemap;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

const COLUMNS: &str =
    "email, first_name, last_name, spent, age, score, active, created_at, updated_at";
/// How often each statement runs.
const RUNS: usize = 5;

#[tokio::main]
async fn main() {
    let Ok(url) = std::env::var("EBB_TEST_POSTGRES_URL") else {
        println!("EBB_TEST_POSTGRES_URL names no server to measure on");
        return;
    };
    let rows: u64 =
        std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let (bare, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    drop(tokio::spawn(connection));
    prepare(&bare, rows).await;

    let Value::Object(settings) = json!({ "url": url }) else { return };
    let limits = Limits::default();
    let source =
        ebb_warehouse::connect("postgres", &settings.into(), MANAGED_SCHEMA, &limits).unwrap();
    let model = ModelQuery {
        sql: format!("select id, {COLUMNS} from ebb_bench"),
        id: "id".to_owned(),
        ..ModelQuery::default()
    };
    let mut job = DiffJob {
        sync: SyncId::from_parts(1, 1),
        mapping: "bench".to_owned(),
        source: "bench".to_owned(),
        model_name: "bench".to_owned(),
        columns: source.columns(&model).await.unwrap(),
        model,
        generation: 0,
        keep_deleted_values: false,
        limit: limits.records,
        trust_deletes: false,
    };
    source.reset("bench").await.unwrap();

    let first = timed(source.diff(&job)).await;
    let before = processor_seconds();
    let copied = timed(stream(&*source, &job)).await;
    let worked = processor_seconds() - before;
    let committed = timed(source.commit(&everything(&job))).await;
    println!(
        "first sync of {rows} rows: diff {:.2} s, stream {:.2} s ({:.0} rows/s; \
         {:.0} rows for each second of this process's own work), commit {:.2} s",
        first.as_secs_f64(),
        copied.as_secs_f64(),
        rows as f64 / copied.as_secs_f64(),
        rows as f64 / worked,
        committed.as_secs_f64(),
    );

    let changed = "update ebb_bench set score = score + 1 where id % 125 = 0;
        update ebb_bench set id = -id where id % 1000 = 1";
    for (what, change) in [("nothing changed", None), ("1 % changed", Some(changed))] {
        if let Some(change) = change {
            bare.batch_execute(change).await.unwrap();
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for run in 0..RUNS {
            job.sync = SyncId::from_parts(u64::try_from(run).unwrap() + 2, 1);
            theirs.push(timed(diff_bare(&bare)).await);
            ours.push(timed(source.diff(&job)).await);
            source.finish(&job).await.unwrap();
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "{what}: diff {:.3} s, bare statement {:.3} s, ratio {:.2}",
            ours.as_secs_f64(),
            theirs.as_secs_f64(),
            ours.as_secs_f64() / theirs.as_secs_f64(),
        );
    }
    source.reset("bench").await.unwrap();
}

async fn prepare(bare: &Client, rows: u64) {
    bare.batch_execute(&format!(
        "set synchronize_seqscans = off; set work_mem = '256MB';
         drop table if exists ebb_bench, ebb_bench_records;
         create table ebb_bench as select i::bigint as id, 'user' || i || '@example.com' as email,
             'First' || i % 1000 as first_name, 'Last' || i % 5000 as last_name,
             (i % 100000) / 100.0::numeric(12, 2) as spent, (i % 100)::int as age,
             (i * 7 % 1000)::int as score, i % 3 = 0 as active,
             timestamp '2024-01-01' + i * interval '1 second' as created_at,
             timestamptz '2024-06-01' + i * interval '1 minute' as updated_at
             from generate_series(1, {rows}::bigint) i;
         create table ebb_bench_records as select id as record_id,
             hash_record_extended(row({COLUMNS}), 0) as checksum from ebb_bench;
         analyze ebb_bench"
    ))
    .await
    .unwrap();
}

/// What any diff has to do: hash the model, join it with what is tracked, write what differs.
async fn diff_bare(bare: &Client) {
    bare.batch_execute(&format!(
        "create table ebb_bench_differing as select n.*, o.record_id, o.checksum
         from (select id, hash_record_extended(row({COLUMNS}), 0) as h, {COLUMNS} from ebb_bench) n
         full join ebb_bench_records o on n.id = o.record_id
         where n.id is null or o.record_id is null or n.h <> o.checksum"
    ))
    .await
    .unwrap();
    bare.batch_execute("drop table ebb_bench_differing").await.unwrap();
}

async fn stream(source: &dyn Warehouse, job: &DiffJob) {
    let changes = source.changes(job, &Operation::ALL, None).await.unwrap();
    changes.try_for_each(|_| async { Ok(()) }).await.unwrap();
}

fn everything(job: &DiffJob) -> Commit {
    Commit {
        job: job.clone(),
        seqs: RoaringTreemap::new(),
        inverted: false,
        subscribed: Operation::ALL.to_vec(),
    }
}

/// User and system time of this process so far, from the kernel's hundredths.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

async fn timed<T>(work: impl Future<Output = T>) -> Duration {
    let start = Instant::now();
    work.await;
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
