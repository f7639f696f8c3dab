//! How requests sign in, and what becomes of results in many pieces and of slow statements.

use ebb_core::{Code, Operation, port::Wanted};
use futures_util::TryStreamExt;
use serde_json::json;

use super::double::{Double, source};
use crate::{bench::Bench, engine::Snowflake};

async fn finds_nothing_wrong(settings: &serde_json::Value) {
    let findings = source(settings).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
}

#[tokio::test]
async fn every_kind_of_credentials_is_taken() {
    let Some(double) = Double::start(json!({})).await else { return };
    let key = double.key().await;
    let (plain, encrypted) = (&key["plain"], &key["encrypted"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), plain.as_str().unwrap()).unwrap();
    let user = json!({ "account": "acme-test", "user": "svc" });
    for others in [
        json!({ "oauth_token": "dev-oauth" }),
        json!({ "private_key": plain }),
        json!({ "private_key_path": file.path() }),
        json!({ "private_key": encrypted, "private_key_passphrase": key["passphrase"] }),
        json!({ "private_key": key["des"], "private_key_passphrase": key["passphrase"] }),
    ] {
        let mut settings = double.settings_with(&others);
        settings.as_object_mut().unwrap().extend(user.as_object().unwrap().clone());
        finds_nothing_wrong(&settings).await;
    }
}

#[tokio::test]
async fn a_result_in_many_pieces_comes_in_order() {
    let Some(engine) = Snowflake::small_pieces(100).await else { return };
    let sql = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 2050) \
               select id from n";
    let mut bench = Bench::new(engine, sql);
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len(), 2050);
    let preview = bench.warehouse.preview(&bench.model, Wanted::First, 500).await.unwrap();
    assert_eq!(preview.rows.num_rows(), 500);
    let after = bench.changes(&extracted.job, &Operation::ALL, Some(2000)).await;
    assert_eq!(after.len(), 50);
}

#[tokio::test]
async fn a_piece_that_fails_twice_then_works_is_fetched_again() {
    let Some(engine) = Snowflake::small_pieces(10).await else { return };
    let sql = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 45) \
               select id from n";
    engine.double().fault(json!({ "path": "partition=2", "status": 503, "count": 2 })).await;
    let mut bench = Bench::new(engine, sql);
    assert_eq!(bench.extract().await.changes.len(), 45);
}

#[tokio::test]
async fn a_stream_whose_piece_is_gone_is_lost_and_can_go_on() {
    let Some(engine) = Snowflake::small_pieces(10).await else { return };
    let sql = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 45) \
               select id from n";
    let gone = json!({ "code": "390142", "message": "Statement handle not found." });
    engine.double().fault(json!({ "path": "partition=3", "status": 404, "body": gone })).await;
    let mut bench = Bench::new(engine, sql);
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let mut changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let mut rows = 0;
    let failure = loop {
        match changes.try_next().await {
            Ok(batch) => rows += batch.unwrap().num_rows(),
            Err(failure) => break failure,
        }
    };
    assert_eq!((failure.code, rows), (Code::SourceLost, 30));
    assert_eq!(bench.changes(&job, &Operation::ALL, Some(30)).await.len(), 15);
}

#[tokio::test]
async fn a_statement_that_takes_longer_than_an_answer_is_asked_after() {
    let Some(double) = Double::start(json!({ "sync_s": 0.05 })).await else { return };
    double.fault(json!({ "sql": "^select 1$", "delay_s": 0.5 })).await;
    finds_nothing_wrong(&double.settings()).await;
}

#[tokio::test]
async fn a_request_that_is_sent_again_runs_its_statement_once() {
    let Some(engine) = Snowflake::small_pieces(100).await else { return };
    let bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let double = bench.engine.double();
    // The answer is lost on the way, after the statement was taken.
    double
        .fault(json!({ "sql": "^select \\* from", "status": 504, "lost": true, "count": 2 }))
        .await;
    bench.warehouse.columns(&bench.model).await.unwrap();
    let log = double.log().await;
    let described = log
        .iter()
        .filter(|entry| entry["statement"].as_str().unwrap().starts_with("select * from ("));
    assert_eq!(described.count(), 1);
}
