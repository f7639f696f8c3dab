//! A table of some size, as a sync of every day has it.

use ebb_core::{Operation, RecordSet};
use futures_util::TryStreamExt;

use crate::{bench::Bench, engine::Engine};

const RECORDS: u64 = 500_000;

pub(super) async fn half_a_million_records_are_followed<E: Engine>(engine: E) {
    engine.run("create table digits (digit bigint)").await;
    let digits: Vec<_> = (0..10).map(|digit| format!("({digit})")).collect();
    engine.run(&format!("insert into digits values {}", digits.join(", "))).await;
    engine.run("create table edits (lowest bigint, highest bigint, edition bigint)").await;
    engine.run("insert into edits values (0, 499999, 1)").await;
    // Numbers from 0, each with the edition of the range that it lies in; who lies in none is gone.
    let sql = "select numbers.id, edits.edition, 'user' as name from \
        (select a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit + 100000 * f.digit as id \
         from digits a cross join digits b cross join digits c cross join digits d cross join digits e \
         cross join digits f where f.digit < 5) numbers \
        join edits on numbers.id >= edits.lowest and numbers.id <= edits.highest";
    let mut bench = Bench::new(engine, sql);
    let job = bench.job().await;
    let diff = bench.warehouse.diff(&job).await.unwrap();
    assert_eq!((diff.changes.added, diff.changes.total()), (RECORDS, RECORDS));
    assert_eq!(streamed(&bench, &job).await, (RECORDS, RECORDS * (RECORDS - 1) / 2));
    let whole = crate::bench::Extracted { job, diff, changes: Vec::new() };
    bench.commit(&whole.commit()).await;
    assert_eq!(bench.tracked().await.records, RECORDS);

    bench
        .run(
            "delete from edits; insert into edits values (1000, 1999, 2), (2000, 499999, 1), \
             (0, 899, 1)",
        )
        .await;
    let job = bench.job().await;
    let diff = bench.warehouse.diff(&job).await.unwrap();
    let changes = diff.changes;
    assert_eq!((changes.added, changes.updated, changes.deleted), (0, 1000, 100));
    let whole = crate::bench::Extracted { job, diff, changes: Vec::new() };
    bench.commit(&whole.commit()).await;
    assert_eq!(bench.tracked().await.records, RECORDS - 100);
    assert!(bench.sync().await.is_empty());
}

/// How many records are streamed, in the order of their numbers, and the sum of their identifiers.
async fn streamed<E: Engine>(bench: &Bench<E>, job: &ebb_core::port::DiffJob) -> (u64, u64) {
    let mut stream = bench.warehouse.changes(job, &Operation::ALL, None).await.unwrap();
    let (mut records, mut sum, mut last) = (0, 0, 0);
    while let Some(batch) = stream.try_next().await.unwrap() {
        let set = RecordSet::new(&batch, "users-to_hook".into(), "".into()).unwrap();
        for record in set.iter() {
            assert!(record.seq() > last, "in the order of seq");
            last = record.seq();
            records += 1;
            sum += record.record_id().parse::<u64>().unwrap();
        }
    }
    (records, sum)
}
