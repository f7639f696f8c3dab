//! How requests sign in and what they say, and what becomes of results in many pieces.

use ebb_core::{Code, Operation};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::double::Double;
use crate::{bench::Bench, engine::Databricks};

async fn finds_nothing_wrong(double: &Double, settings: &Value) {
    let findings = double.source(settings).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
}

/// A model of so many rows.
fn rows(number: u32) -> String {
    format!("select id, 'user' as name from range(1, {number} + 1)")
}

#[tokio::test]
async fn a_service_principal_signs_in_and_its_expired_token_is_renewed() {
    let Some(double) = Double::start(json!({})).await else { return };
    let settings =
        double.settings_with(&json!({ "client_id": "client", "client_secret": "secret" }));
    finds_nothing_wrong(&double, &settings).await;
    let source = double.source(&settings);
    assert_eq!(source.tracked("users").await, Ok(None));
    double.expire().await;
    assert_eq!(source.tracked("users").await, Ok(None));
}

#[tokio::test]
async fn a_result_in_many_pieces_comes_in_order() {
    let Some(engine) = Databricks::with(json!({ "chunk_rows": 100 })).await else { return };
    let mut bench = Bench::new(engine, &rows(1050));
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len(), 1050);
    let last = extracted.changes[999].seq;
    let after = bench.changes(&extracted.job, &Operation::ALL, Some(last)).await;
    assert_eq!(after, extracted.changes[1000..]);
}

#[tokio::test]
async fn rows_of_a_small_result_in_pieces_are_all_read() {
    let Some(engine) = Databricks::with(json!({ "chunk_rows": 3 })).await else { return };
    let sql = "select id % 10 as id from range(0, 20)";
    let mut bench = Bench::new(engine, sql);
    let diff = bench.extract().await.diff;
    assert_eq!(diff.discarded.duplicate_ids.len(), 10, "a query of ten rows");
}

#[tokio::test]
async fn pieces_that_fail_are_fetched_again() {
    let Some(engine) = Databricks::with(json!({ "chunk_rows": 10 })).await else { return };
    for fault in [
        json!({ "path": "presigned/.*/chunk/2", "status": 503, "count": 2 }),
        json!({ "path": "presigned/.*/chunk/0", "lost": true }),
        json!({ "path": "presigned/.*/chunk/1", "cut": true }),
        json!({ "path": "result/chunks/3", "status": 429, "headers": { "Retry-After": "0" } }),
        json!({ "path": "presigned/.*/chunk/3", "status": 403, "body": {} }),
    ] {
        engine.double().fault(fault).await;
    }
    let mut bench = Bench::new(engine, &rows(45));
    assert_eq!(bench.extract().await.changes.len(), 45);
}

#[tokio::test]
async fn a_link_that_expired_is_got_anew() {
    // Links never open: they have expired when they come. Those of one try get a second chance.
    let Some(engine) = Databricks::with(json!({ "chunk_rows": 10, "link_ttl": -1 })).await else {
        return;
    };
    let mut bench = Bench::new(engine, &rows(45));
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let failure = changes.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(failure.code, Code::SourceLost);
    assert!(failure.message().contains("`403`"), "{failure}");
    assert!(!format!("{failure:?}").contains("presigned"), "a link opens without a token");
}

#[tokio::test]
async fn a_stream_whose_result_is_gone_is_lost_and_can_go_on() {
    let Some(engine) = Databricks::with(json!({ "chunk_rows": 10 })).await else { return };
    let gone = json!({ "error_code": "NOT_FOUND", "message": "The statement was not found." });
    engine.double().fault(json!({ "path": "chunks/3", "status": 404, "body": gone })).await;
    let mut bench = Bench::new(engine, &rows(45));
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let mut changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let mut seqs = Vec::new();
    let failure = loop {
        match changes.try_next().await {
            Ok(batch) => {
                let set = ebb_core::RecordSet::new(&batch.unwrap(), "m".into(), "t".into());
                seqs.extend(set.unwrap().iter().map(ebb_core::Record::seq));
            }
            Err(failure) => break failure,
        }
    };
    assert_eq!((failure.code, seqs.len()), (Code::SourceLost, 30));
    assert_eq!(bench.changes(&job, &Operation::ALL, seqs.last().copied()).await.len(), 15);
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_sent_again_and_a_write_is_not() {
    let Some(engine) = Databricks::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    let double = bench.engine.double();
    double.fault(json!({ "sql": "^select op, count", "lost": true })).await;
    double.fault(json!({ "sql": "^create or replace", "lost": true, "count": 1 })).await;
    let failure = bench.warehouse.diff(&job).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceLost);
    let writes = |log: Vec<Value>| {
        log.iter()
            .filter(|entry| entry["statement"].as_str().unwrap().starts_with("create or replace"))
            .count()
    };
    assert_eq!(writes(double.log().await), 1);
    assert_eq!(bench.warehouse.diff(&job).await.unwrap().changes.added, 1);
}

#[tokio::test]
async fn requests_name_their_place_and_what_they_work_for() {
    let Some(engine) = Databricks::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    let double = bench.engine.double();
    let log = double.log().await;
    assert!(log.iter().all(|entry| entry["catalog"] == "main" && entry["warehouse_id"] == "wh1"));
    let tagged = |begins: &str| {
        let begins = |entry: &&Value| entry["statement"].as_str().unwrap().starts_with(begins);
        log.iter().find(begins).map(|entry| entry["query_tags"].clone()).unwrap()
    };
    let tag = tagged("create or replace");
    assert_eq!(tag[0]["key"], "ebb");
    assert!(tag[0]["value"].as_str().unwrap().starts_with("users-to_hook:"), "{tag}");
    assert_eq!(tagged("select * from ("), json!([{ "key": "ebb", "value": null }]));
}
