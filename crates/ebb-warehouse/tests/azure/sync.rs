//! What a sync asks of the server, and what it leaves.

use ebb_core::{
    Code, Operation,
    port::{Commit, Wanted},
};
use serde_json::Value;

use crate::{
    assert_lines,
    bench::Bench,
    engine::{Azure, Engine, Synapse},
};

fn texts(log: &[Value]) -> Vec<&str> {
    log.iter().filter_map(|entry| entry["sql"].as_str()).collect()
}

#[tokio::test]
async fn sessions_say_what_they_work_for() {
    let Some(engine) = Azure::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let extracted = bench.extract().await;
    bench.commit(&extracted.commit()).await;
    let label = format!("ebb:users-to_hook:{}", extracted.job.sync);
    let log = bench.engine.double().log().await;
    let writes = |entry: &&Value| {
        ["into ", "insert", "delete", "drop"]
            .iter()
            .any(|word| entry["sql"].as_str().unwrap().contains(word))
    };
    let labels: Vec<_> = log.iter().filter(writes).map(|entry| &entry["context"]).collect();
    assert!(labels.len() > 3 && labels.iter().all(|context| **context == label), "{labels:?}");
}

#[tokio::test]
async fn statements_in_a_pool_of_synapse_bear_their_label() {
    let Some(engine) = Synapse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let extracted = bench.extract().await;
    bench.commit(&extracted.commit()).await;
    let label = format!("\noption (label = N'ebb:users-to_hook:{}')", extracted.job.sync);
    let log = bench.engine.double().log().await;
    for begins in
        ["create table [__segment_reverse_etl].[changes_", "insert into [__", "select cast(seq"]
    {
        let mut all = texts(&log).into_iter().filter(|sql| sql.starts_with(begins)).peekable();
        assert!(all.peek().is_some(), "{begins}");
        assert!(all.all(|sql| sql.ends_with(&label)), "{begins}");
    }
}

#[tokio::test]
async fn sessions_have_settings_of_their_own() {
    let Some(engine) = Azure::start().await else { return };
    let bench = Bench::users(engine, "").await;
    bench.warehouse.preview(&bench.model, Wanted::First, 1).await.unwrap();
    let log = bench.engine.double().log().await;
    insta::assert_snapshot!(texts(&log)[1]);
}

#[tokio::test]
async fn a_commit_with_many_exceptions_lists_them() {
    let Some(engine) = Azure::start().await else { return };
    let model = format!("select id, 'user' as name from ({}) n", engine.numbers(4000));
    let mut bench = Bench::new(engine, &model);
    let extracted = bench.extract().await;
    let failed = Commit {
        seqs: extracted.changes.iter().take(2500).map(|one| one.seq).collect(),
        ..extracted.commit()
    };
    bench.commit(&failed).await;
    assert_eq!(bench.tracked().await.records, 1500);
    assert_eq!(bench.extract().await.diff.changes.added, 2500);
}

#[tokio::test]
async fn a_model_may_read_a_table_of_any_name() {
    let Some(engine) = Azure::start().await else { return };
    engine.run("create table n (id bigint); insert into n values (7)").await;
    let mut bench = Bench::new(engine, "select id from n");
    assert_lines!(bench.sync().await, [r#"added 7 {"id":7}"#]);
    assert_lines!(bench.sync().await, []);
    bench.query(
        "with c as (select id from n) select c.id from c join n on n.id = c.id order by c.id",
    );
    assert_lines!(bench.sync().await, []);
    bench.query("with n as (select 1 as id) select id from n");
    let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
    assert_eq!(failure.code, Code::ModelNotQuery);
}

#[tokio::test]
async fn a_column_without_a_name_is_told() {
    let Some(engine) = Azure::start().await else { return };
    let mut bench = Bench::users(engine, "").await;
    bench.query("select id, name + 'x' from users");
    let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
    assert_eq!(failure.code, Code::ModelColumns);
    assert_eq!(failure.message(), "a column of the model has no name");
}

/// Between the statements that give the records another shape, each of which stands for itself.
#[tokio::test]
async fn an_interrupted_change_of_shape_in_a_pool_of_synapse_loses_nothing() {
    let Some(engine) = Synapse::start().await else { return };
    let rows = "(1, 'Ada', 'London'), (2, 'Bo', null)";
    let mut bench = Bench::users(engine, rows).await;
    bench.sync().await;
    let managed = "[__segment_reverse_etl]";
    let double = bench.engine.double();
    double
        .run(&format!(
            "rename object {managed}.[records_users-to_hook] to [next_records_users-to_hook]"
        ))
        .await;
    assert_eq!(bench.tracked().await.records, 2);
    assert_lines!(bench.sync().await, []);
    // One that was made and did not take its place is made anew.
    bench.engine.run(&format!(
        "create table {managed}.[next_records_users-to_hook] (record_id bigint) with (distribution = round_robin, heap)"
    )).await;
    bench.keep_deleted_values = true;
    bench.run("update users set city = 'Rome' where id = 2").await;
    bench.sync().await;
    bench.run("delete from users where id = 2").await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":2,"name":"Bo","city":"Rome"}"#]);
}

#[tokio::test]
async fn a_stream_that_is_let_go_stops_its_query() {
    let Some(engine) = Azure::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let slow = serde_json::json!({ "kind": "slow", "match": "order by seq$", "seconds": 60 });
    bench.engine.double().fault(slow).await;
    let streaming = bench.warehouse.changes(&job, &Operation::ALL, None);
    let until = bench.engine.double().until("order by seq", |entry| entry["done"] == false);
    tokio::select! {
        _ = streaming => panic!("it is slow"),
        () = until => {}
    }
    bench.engine.double().until("order by seq", |entry| entry["canceled"] == true).await;
}
