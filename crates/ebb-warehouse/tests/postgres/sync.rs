//! Syncs against a real server: what a session leaves behind, and in which order rows come.

use ebb_core::{Code, Operation, record::SEQ};
use futures_util::TryStreamExt;

use super::server::{Server, Source, records};

#[tokio::test]
async fn a_user_with_a_schema_of_its_own_needs_no_right_on_the_database() {
    let Some(server) = Server::start("own_schema").await else { return };
    server.role("ebb_own_schema").await;
    server
        .run(
            "create table users as select 1 as id, 'ann' as name;
             grant select on users to ebb_own_schema;
             create schema \"__segment_reverse_etl\" authorization ebb_own_schema",
        )
        .await;
    let source = Source::of(server.settings_of("ebb_own_schema"));
    let findings = source.0.check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    let (_, changes) = source.sync(1, "select * from users").await.unwrap();
    assert_eq!(records(&changes), [r#"added 1 {"id":1,"name":"ann"}"#]);
}

#[tokio::test]
async fn many_changes_come_in_order_and_go_on_after_a_seq() {
    let Some(server) = Server::start("in_order").await else { return };
    let sql = "select i as id, repeat('x', 200) as filler from generate_series(1, 100000) i";
    let source = server.source();
    let job = source.job(1, sql).await.unwrap();
    source.0.diff(&job).await.unwrap();
    for (after, expected) in [(None, 1..=100_000), (Some(70_000), 70_001..=100_000)] {
        let batches: Vec<_> = source
            .0
            .changes(&job, &Operation::ALL, after)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let seqs = batches.iter().flat_map(|batch| {
            let seqs = batch.column_by_name(SEQ).unwrap();
            seqs.as_any().downcast_ref::<arrow_array::Int64Array>().unwrap().values().to_vec()
        });
        assert!(seqs.eq(expected));
    }
}

#[tokio::test]
async fn no_session_is_left_when_the_rows_are_out() {
    let Some(server) = Server::start("no_session").await else { return };
    let source = server.source();
    source.sync(1, "select 1 as id").await.unwrap();
    server
        .until(
            "not exists (select from pg_stat_activity where application_name like 'ebb%' \
             and datname = current_database())",
        )
        .await;
}

#[tokio::test]
async fn a_dropped_stream_cancels_its_query_at_the_server() {
    let Some(server) = Server::start("dropped_stream").await else { return };
    let source = server.source();
    let sql = "select i as id, repeat('x', 1000) as filler from generate_series(1, 300000) i";
    let job = source.job(1, sql).await.unwrap();
    source.0.diff(&job).await.unwrap();
    let mut changes = source.0.changes(&job, &Operation::ALL, None).await.unwrap();
    assert!(changes.try_next().await.unwrap().is_some());
    let copies = "from pg_stat_activity where application_name like 'ebb%' and state = 'active' \
                  and datname = current_database()";
    assert_eq!(server.value(&format!("select count(*) {copies}")).await, "1");
    drop(changes);
    server.until(&format!("not exists (select {copies})")).await;
}

#[tokio::test]
async fn a_dropped_diff_is_canceled_at_the_server_and_leaves_nothing() {
    let Some(server) = Server::start("dropped_diff").await else { return };
    let source = server.source();
    let job = source.job(1, "select 1 as id, pg_sleep(600) is null as slept").await.unwrap();
    let sleeping = "exists (select from pg_stat_activity where application_name like 'ebb%' \
                    and wait_event = 'PgSleep' and datname = current_database())";
    tokio::select! {
        diff = source.0.diff(&job) => panic!("{diff:?}"),
        () = server.until(sleeping) => {}
    }
    server.until(&format!("not {sleeping}")).await;
    assert!(!source.0.has_changes(&job).await.unwrap());
}

#[tokio::test]
async fn changes_that_a_crash_of_the_server_took_are_missed_and_made_again() {
    let Some(server) = Server::start("crash").await else { return };
    let source = server.source();
    let job = source.job(1, "select 1 as id").await.unwrap();
    source.0.diff(&job).await.unwrap();
    assert!(source.0.has_changes(&job).await.unwrap());
    // What the server does to an unlogged table when it recovers.
    server.run(&format!("truncate __segment_reverse_etl.\"changes_{}\"", job.sync)).await;
    assert!(!source.0.has_changes(&job).await.unwrap());
    let failure = source.0.changes(&job, &Operation::ALL, None).await.err().unwrap();
    assert_eq!(failure.code, Code::SourceLost);
    assert_eq!(source.run(&job).await.unwrap().0.changes.added, 1);

    let (nothing, _) = source.sync(2, "select 1 as id").await.unwrap();
    assert_eq!(nothing.changes.total(), 0);
}

#[tokio::test]
async fn mappings_with_names_beyond_the_servers_limit_keep_apart() {
    let Some(server) = Server::start("long_names").await else { return };
    let source = server.source();
    for (number, end) in ["one", "two"].into_iter().enumerate() {
        let sql = format!("select {number} as id");
        let mut job = source.job(u64::try_from(number).unwrap(), &sql).await.unwrap();
        job.mapping = format!("{}{end}", "m".repeat(100));
        let (diff, _) = source.run(&job).await.unwrap();
        assert!(diff.first);
        assert_eq!(source.0.tracked(&job.mapping).await.unwrap().unwrap().records, 1);
    }
}

#[tokio::test]
async fn statements_are_labelled_with_their_mapping_and_sync() {
    let Some(server) = Server::start("labelled").await else { return };
    let source = server.source();
    let label = "select 1 as id, current_setting('application_name') as label";
    let (_, changes) = source.sync(1, label).await.unwrap();
    let told = records(&changes);
    assert!(told[0].contains("ebb:users-to-hook:"), "{told:?}");
}
