//! What a commit takes over.

use ebb_core::{
    Code, Operation,
    port::{Commit, DiffJob},
};
use roaring::RoaringTreemap;

use crate::{assert_lines, bench::Bench, engine::Engine};

const ROWS: &str = "(1, 'Ada', ''), (2, 'Bo', ''), (3, 'Cy', ''), (4, 'Di', '')";

pub(super) async fn a_commit_can_be_repeated<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let first = bench.extract().await;
    for _ in 0..2 {
        bench.warehouse.commit(&first.commit()).await.unwrap();
        assert_eq!(bench.tracked().await.records, 4);
    }
    bench.warehouse.finish(&first.job).await.unwrap();
    bench
        .run(
            "update users set city = 'Bonn' where id = 1; delete from users where id = 2; \
              insert into users values (5, 'Ed', '')",
        )
        .await;
    let next = bench.extract().await;
    let mut commit = next.commit();
    commit.seqs = next.seqs(&["5"]);
    let mut states = Vec::new();
    for _ in 0..3 {
        bench.warehouse.commit(&commit).await.unwrap();
        states.push(bench.tracked().await);
    }
    assert_eq!(states[0].records, 3);
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0], states[2]);
    bench.warehouse.finish(&next.job).await.unwrap();
    assert_lines!(bench.sync().await, [r#"added 5 {"id":5,"name":"Ed","city":""}"#]);
}

pub(super) async fn failed_changes_are_found_again<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let first = bench.extract().await;
    bench.commit(&Commit { seqs: first.seqs(&["2", "3"]), ..first.commit() }).await;
    assert_eq!(bench.tracked().await.records, 2);
    bench
        .run("update users set city = 'Bonn' where id in (1, 3); delete from users where id = 4")
        .await;
    let next = bench.extract().await;
    assert_lines!(
        next.lines(),
        [
            r#"updated 1 {"id":1,"name":"Ada","city":"Bonn"}"#,
            r#"added 2 {"id":2,"name":"Bo","city":""}"#,
            r#"added 3 {"id":3,"name":"Cy","city":"Bonn"}"#,
            r#"deleted 4 {"id":null,"name":null,"city":null}"#,
        ]
    );
    bench.commit(&Commit { seqs: next.seqs(&["1", "4"]), ..next.commit() }).await;
    bench.run("update users set city = 'Rome' where id = 1").await;
    assert_lines!(
        bench.sync().await,
        [
            r#"updated 1 {"id":1,"name":"Ada","city":"Rome"}"#,
            r#"deleted 4 {"id":null,"name":null,"city":null}"#,
        ]
    );
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn the_delivered_few_can_be_listed_instead<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let first = bench.extract().await;
    bench.commit(&Commit { seqs: first.seqs(&["2"]), inverted: true, ..first.commit() }).await;
    assert_eq!(bench.tracked().await.records, 1);
    let next = bench.extract().await;
    assert_eq!(next.changes.len(), 3);
    // Nothing was delivered at all.
    bench.commit(&Commit { inverted: true, ..next.commit() }).await;
    assert_eq!(bench.tracked().await.records, 1);
    assert_eq!(bench.sync().await.len(), 3);
}

pub(super) async fn what_is_not_subscribed_is_tracked_all_the_same<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let subscribed = vec![Operation::Updated];
    let first = bench.extract().await;
    let nothing = Commit { inverted: true, subscribed: subscribed.clone(), ..first.commit() };
    bench.commit(&nothing).await;
    assert_eq!(bench.tracked().await.records, 4);
    bench
        .run(
            "update users set city = 'Bonn' where id < 3; delete from users where id = 3; \
              insert into users values (5, 'Ed', '')",
        )
        .await;
    let next = bench.extract().await;
    bench
        .commit(&Commit {
            seqs: next.seqs(&["1"]),
            subscribed: subscribed.clone(),
            ..next.commit()
        })
        .await;
    let last = bench.extract().await;
    assert_lines!(last.lines(), [r#"updated 1 {"id":1,"name":"Ada","city":"Bonn"}"#]);
    let failed = Commit { seqs: last.seqs(&["1"]), subscribed: vec![], ..last.commit() };
    bench.commit(&failed).await;
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn kept_values_come_back_with_the_delete<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.keep_deleted_values = true;
    bench.sync().await;
    bench.run("update users set city = 'Bonn' where id = 2; delete from users where id = 1").await;
    assert_lines!(
        bench.sync().await,
        [
            r#"deleted 1 {"id":1,"name":"Ada","city":""}"#,
            r#"updated 2 {"id":2,"name":"Bo","city":"Bonn"}"#,
        ]
    );
    bench.run("delete from users where id = 2").await;
    let extracted = bench.extract().await;
    assert_lines!(extracted.lines(), [r#"deleted 2 {"id":2,"name":"Bo","city":"Bonn"}"#]);
    bench.commit(&Commit { seqs: extracted.seqs(&["2"]), ..extracted.commit() }).await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":2,"name":"Bo","city":"Bonn"}"#]);
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn values_kept_from_now_on<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    bench.keep_deleted_values = true;
    bench.run("update users set city = 'Bonn' where id = 1").await;
    bench.sync().await;
    bench.run("delete from users where id < 3").await;
    assert_lines!(
        bench.sync().await,
        [
            r#"deleted 1 {"id":1,"name":"Ada","city":"Bonn"}"#,
            r#"deleted 2 {"id":null,"name":null,"city":null}"#,
        ]
    );
    // A column comes and another goes; values of the common ones stay.
    bench.run("update users set city = 'Oslo' where id = 3").await;
    bench.sync().await;
    bench.query("select id, city, 1 as visits from users");
    bench.run("delete from users where id = 3").await;
    assert_lines!(
        bench.sync().await,
        [
            r#"deleted 3 {"id":3,"city":"Oslo","visits":null}"#,
            r#"updated 4 {"id":4,"city":"","visits":1}"#,
        ]
    );
    bench.keep_deleted_values = false;
    bench.run("delete from users where id = 4").await;
    assert_lines!(bench.sync().await, [r#"deleted 4 {"id":null,"city":null,"visits":null}"#]);
}

pub(super) async fn a_mapping_may_have_a_long_name<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let mapping = "a-mapping-of-every-customer-of-the-shop-to-the-tool-of-the-marketing-team";
    for (sync, found) in [4, 0].into_iter().enumerate() {
        let job = DiffJob { mapping: mapping.to_owned(), ..bench.job().await };
        let diff = bench.warehouse.diff(&job).await.unwrap();
        assert_eq!((diff.first, diff.changes.total()), (sync == 0, found));
        let everything = Commit {
            job,
            seqs: RoaringTreemap::new(),
            inverted: false,
            subscribed: Operation::ALL.to_vec(),
        };
        bench.commit(&everything).await;
        assert_eq!(bench.warehouse.tracked(mapping).await.unwrap().unwrap().records, 4);
    }
    bench.warehouse.reset(mapping).await.unwrap();
    assert_eq!(bench.warehouse.tracked(mapping).await, Ok(None));
}

pub(super) async fn a_reset_forgets<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.warehouse.reset("users-to_hook").await.unwrap();
    bench.sync().await;
    bench.warehouse.reset("users-to_hook").await.unwrap();
    assert_eq!(bench.warehouse.tracked("users-to_hook").await, Ok(None));
    let extracted = bench.extract().await;
    assert!(extracted.diff.first);
    assert_eq!(extracted.diff.changes.added, 4);
}

pub(super) async fn a_lost_changes_table_is_told<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let extracted = bench.extract().await;
    bench.warehouse.finish(&extracted.job).await.unwrap();
    let failure = bench.warehouse.commit(&extracted.commit()).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceLost);
    let stream = bench.warehouse.changes(&extracted.job, &Operation::ALL, None).await;
    assert_eq!(stream.err().map(|failure| failure.code), Some(Code::SourceLost));
}

pub(super) async fn checks_find_nothing_wrong<E: Engine>(engine: E) {
    let bench = Bench::users(engine, ROWS).await;
    for _ in 0..2 {
        let findings = bench.warehouse.check().await;
        let mut steps = findings.iter().map(|finding| finding.step);
        // An engine may have a step of its own between them.
        let common = ["read", "create schema", "write", "drop"];
        assert!(common.iter().all(|common| steps.any(|step| step == *common)), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    }
}
