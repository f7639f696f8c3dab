//! What a sync asks of the server, and what it leaves.

use ebb_core::Operation;
use futures_util::TryStreamExt;

use super::{Double, Names};

#[tokio::test]
async fn the_doubles_hash_is_the_one_of_the_manual() {
    let Some(double) = Double::start("redshift_manual").await else { return };
    // The examples of the manual's page on FNV_HASH.
    for (expression, expected) in [
        ("fnv_hash(1)", "-5968735742475085980"),
        ("fnv_hash(cast(1 as smallint))", "589727492704079044"),
        ("fnv_hash(cast(1 as bigint))", "-8517097267634966620"),
        ("fnv_hash('Amazon Redshift'::text)", "7783490368944507294"),
        ("fnv_hash('Amazon Redshift'::text, fnv_hash(1))", "-2202602717770968555"),
        ("fnv_hash('cd'::text, fnv_hash('ab'::text))", "-281581062704388899"),
    ] {
        assert_eq!(double.server.value(&format!("select {expression}")).await, expected);
    }
}

#[tokio::test]
async fn every_statement_of_a_sync_bears_its_label() {
    let Some(double) = Double::start("redshift_label").await else { return };
    let source = double.source();
    let job = source.job(1, "select 1 as id").await.unwrap();
    source.run(&job).await.unwrap();
    let label = format!("set query_group to 'ebb:users-to-hook:{}'", job.sync);
    let statements = double.statements.all();
    let labelled = statements.iter().filter(|sql| **sql == label).count();
    assert_eq!(labelled, 4, "diff, changes, commit, finish: {statements:#?}");
    let first = |text: &str| statements.iter().position(|sql| sql.contains(text)).unwrap();
    assert!(first(&label) < first("create table"));
}

#[tokio::test]
async fn a_commit_with_many_exceptions_loads_them_in_few_statements() {
    let Some(double) = Double::start("redshift_exceptions").await else { return };
    let source = double.source();
    let job = source.job(1, "select i as id from generate_series(1, 200000) i").await.unwrap();
    source.0.diff(&job).await.unwrap();
    let failed = ebb_core::port::Commit {
        job: job.clone(),
        seqs: (1..=150_000).collect(),
        inverted: false,
        subscribed: Operation::ALL.to_vec(),
    };
    source.0.commit(&failed).await.unwrap();
    assert_eq!(source.0.tracked("users-to-hook").await.unwrap().unwrap().records, 50_000);
    let inserts = double.statements.all();
    let inserts = inserts.iter().filter(|sql| sql.starts_with("insert into ebb_seqs")).count();
    assert_eq!(inserts, 2);
}

#[tokio::test]
async fn names_in_capitals_are_found_again_though_redshift_folds_them() {
    for (test, names) in [("redshift_folded", Names::Folded), ("redshift_kept", Names::Kept)] {
        let Some(double) = Double::with_names(test, names).await else { return };
        let source = double.source();
        let mut job = source.job(1, r#"select 1 as "id", 'ann' as "Name""#).await.unwrap();
        job.mapping = "Users-to-Hook".to_owned();
        assert_eq!(source.run(&job).await.unwrap().0.changes.added, 1);
        assert_eq!(source.0.tracked("Users-to-Hook").await.unwrap().unwrap().records, 1);
        assert_eq!(source.run(&job).await.unwrap().0.changes.total(), 0);
        source.0.reset("Users-to-Hook").await.unwrap();
        assert_eq!(source.0.tracked("Users-to-Hook").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_dropped_stream_cancels_its_query_at_the_server() {
    let Some(double) = Double::start("redshift_dropped").await else { return };
    let source = double.source();
    let sql = "select i as id, repeat('x', 1000) as filler from generate_series(1, 100000) i";
    let job = source.job(1, sql).await.unwrap();
    source.0.diff(&job).await.unwrap();
    let mut changes = source.0.changes(&job, &Operation::ALL, None).await.unwrap();
    assert!(changes.try_next().await.unwrap().is_some());
    drop(changes);
    double
        .server
        .until(
            "not exists (select from pg_stat_activity where application_name = 'ebb' \
             and datname = current_database())",
        )
        .await;
}

#[tokio::test]
async fn many_changes_come_in_order_and_go_on_after_a_seq() {
    let Some(double) = Double::start("redshift_in_order").await else { return };
    let source = double.source();
    let job = source.job(1, "select i as id from generate_series(1, 50000) i").await.unwrap();
    source.0.diff(&job).await.unwrap();
    for (after, expected) in [(None, 1..=50_000), (Some(31_000), 31_001..=50_000)] {
        let batches: Vec<_> = source
            .0
            .changes(&job, &Operation::ALL, after)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let seqs = batches.iter().flat_map(|batch| {
            let seqs = batch.column_by_name(ebb_core::record::SEQ).unwrap();
            seqs.as_any().downcast_ref::<arrow_array::Int64Array>().unwrap().values().to_vec()
        });
        assert!(seqs.eq(expected));
        assert!(batches.iter().all(|batch| batch.num_rows() <= 8192));
    }
}
