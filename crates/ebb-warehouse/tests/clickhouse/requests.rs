//! What requests say, how they sign in, and what becomes of answers that are lost or cut.

use ebb_core::{Code, Operation};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::double::Double;
use crate::{bench::Bench, engine::ClickHouse};

async fn finds_nothing_wrong(double: &Double, settings: &Value) {
    let findings = double.source(settings).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
}

/// A model of so many rows.
fn rows(number: u32) -> String {
    format!("select number + 1 as id, repeat('user', 20) as name from numbers({number})")
}

#[tokio::test]
async fn an_access_token_signs_in() {
    let Some(double) = Double::start().await else { return };
    let token = json!({ "user": null, "password": null, "token": "dev-token" });
    finds_nothing_wrong(&double, &double.settings_with(&token)).await;
}

#[tokio::test]
async fn a_stream_that_stops_in_the_middle_is_never_a_short_result_and_can_go_on() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::new(engine, &rows(300_000));
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let memory = json!({ "code": 241, "name": "MEMORY_LIMIT_EXCEEDED", "message": "Query memory limit exceeded" });
    for (fault, code) in [
        (json!({ "late": memory }), Code::SourceFull),
        (json!({ "late": memory, "cut": true }), Code::SourceFull),
        (json!({ "cut": true }), Code::SourceLost),
        (json!({ "short": true }), Code::SourceLost),
    ] {
        let mut wanted = fault.clone();
        wanted["sql"] = "order by seq$".into();
        bench.engine.double().fault(wanted).await;
        let mut changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
        let mut last = None;
        let failure = loop {
            match changes.try_next().await {
                Ok(batch) => {
                    let set = ebb_core::RecordSet::new(&batch.unwrap(), "m".into(), "t".into());
                    last = set.unwrap().iter().map(ebb_core::Record::seq).last().or(last);
                }
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure.code, code, "{fault} {failure}");
        let rest = bench.changes(&job, &Operation::ALL, last).await.len() as u64;
        assert_eq!(last.unwrap_or(0) + rest, 300_000, "{fault}");
    }
}

#[tokio::test]
async fn a_short_answer_that_ends_in_an_exception_is_a_failure() {
    let Some(double) = Double::start().await else { return };
    let late = json!({ "code": 395, "name": "OTHER", "message": "it went wrong at last" });
    for sql in ["^select 1$", "^create or replace"] {
        double.fault(json!({ "sql": sql, "late": late })).await;
        let findings = double.source(&double.settings()).check().await;
        let failure = findings.iter().find_map(|finding| finding.failure.clone()).unwrap();
        assert_eq!(failure.code, Code::SourceQuery, "{failure}");
        assert!(failure.message().contains("it went wrong at last"), "{failure}");
    }
}

#[tokio::test]
async fn what_may_be_done_twice_is_sent_again_when_its_answer_is_lost_and_an_insert_is_not() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    let double = bench.engine.double();
    for sql in ["^create or replace .*changes_", "order by seq$", "^describe"] {
        double.fault(json!({ "sql": sql, "lost": true, "count": 2 })).await;
    }
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len(), 2);
    let double = bench.engine.double();
    double.fault(json!({ "sql": "^insert into .*seqs_", "lost": true })).await;
    let commit = ebb_core::port::Commit { seqs: extracted.seqs(&["2"]), ..extracted.commit() };
    assert_eq!(bench.warehouse.commit(&commit).await.unwrap_err().code, Code::SourceLost);
    bench.warehouse.commit(&commit).await.unwrap();
    assert_eq!(bench.tracked().await.records, 1);
    let log = bench.engine.double().log().await;
    let sent = |what: &str| {
        let is = |entry: &&Value| entry["statement"].as_str().unwrap().contains(what);
        log.iter().filter(is).map(|entry| entry["query_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sent("insert into").len(), 2, "one for each commit");
    let written = sent("classified");
    assert_eq!(written.len(), 3);
    assert!(written.iter().all(|id| *id == written[0]), "the server knows it again: {written:?}");
}

#[tokio::test]
async fn requests_say_what_they_work_for_and_whether_they_may_write() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    let log = bench.engine.double().log().await;
    let one = |begins: &str| {
        let is = |entry: &&Value| entry["statement"].as_str().unwrap().starts_with(begins);
        log.iter().find(is).unwrap()
    };
    let diff = one("create or replace");
    assert!(diff["log_comment"].as_str().unwrap().starts_with("ebb:users-to_hook:"), "{diff}");
    assert_eq!((&diff["readonly"], &diff["max_execution_time"]), (&Value::Null, &json!("3600")));
    let managed = bench.engine.double().managed();
    let id = format!("{managed}:users-to_hook:writes:");
    assert!(diff["query_id"].as_str().unwrap().starts_with(&id), "{diff}");
    let describe = one("describe");
    assert_eq!((&describe["log_comment"], &describe["readonly"]), (&json!("ebb"), &json!("2")));
}

#[tokio::test]
async fn a_model_means_what_it_means_elsewhere() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    // A name that a select list gives anew, a join without a counterpart, and settings of its own.
    bench.query(
        "select id, lower(name) as name, o.total from users left join (select 2 as user, 5 as total) o \
         on o.user = users.id where name = 'ada' settings join_use_nulls = 0",
    );
    let lines = bench.sync().await;
    assert_eq!(lines, [r#"added 1 {"id":1,"name":"ada","total":0}"#]);
}

#[tokio::test]
async fn many_numbers_are_loaded_once_each() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::new(engine, &rows(1_200_000));
    bench.limit = 2_000_000;
    let job = bench.job().await;
    let diff = bench.warehouse.diff(&job).await.unwrap();
    let whole = crate::bench::Extracted { job, diff, changes: Vec::new() };
    let commit = ebb_core::port::Commit {
        seqs: (1..=1_100_000).collect(),
        inverted: true,
        ..whole.commit()
    };
    bench.commit(&commit).await;
    assert_eq!(bench.tracked().await.records, 1_100_000);
}
