//! How requests sign in, what jobs say of themselves, and what becomes of results in many pages.

use ebb_core::{Code, Operation, port::Wanted};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::double::{Double, source};
use crate::{
    assert_lines,
    bench::Bench,
    control::with,
    engine::{BigQuery, Engine},
};

pub(super) async fn finds_nothing_wrong(settings: &Value) {
    let findings = source(settings).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
}

#[tokio::test]
async fn a_service_account_and_a_federated_workload_are_taken() {
    let Some(double) = Double::start(json!({})).await else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), double.key["service_account"].to_string()).unwrap();
    let subject = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(subject.path(), "a workload").unwrap();
    let mut workload = double.key["workload"].clone();
    workload["credential_source"] = json!({ "file": subject.path() });
    for others in [
        json!({ "credentials_path": file.path() }),
        json!({ "credentials": double.key["service_account"].to_string() }),
        json!({ "credentials": workload.to_string() }),
    ] {
        let mut settings = double.settings();
        let map = settings.as_object_mut().unwrap();
        map.remove("credentials");
        map.extend(others.as_object().unwrap().clone());
        finds_nothing_wrong(&settings).await;
    }
}

#[tokio::test]
async fn jobs_say_where_they_run_and_what_they_work_for() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    let log = bench.engine.double().log().await;
    let same = |entry: &&Value| {
        entry["location"] == "US"
            && entry["timeout"] == "3600000"
            && entry["time_zone"] == json!(["UTC"])
    };
    assert!(log.iter().all(|entry| same(&entry)), "{log:?}");
    let labels: Vec<_> = log.iter().map(|entry| &entry["labels"]).collect();
    let ours = |labels: &&&Value| labels["ebb_mapping"] == "users-to_hook";
    assert!(labels.iter().filter(ours).count() > 3, "{labels:?}");
    assert!(labels.iter().all(|labels| ours(&labels) || **labels == json!({ "ebb": "" })));
    let scripts = log.iter().filter(|entry| entry["sql"].as_str().unwrap().starts_with("begin"));
    assert_eq!(scripts.count(), 1);
}

#[tokio::test]
async fn a_diff_tells_the_bytes_that_it_read() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    let diff = bench.warehouse.diff(&job).await.unwrap();
    assert!(diff.scanned.is_some_and(|bytes| bytes > 10_000_000), "{diff:?}");
}

#[tokio::test]
async fn a_result_in_many_pages_comes_in_order() {
    let Some(engine) = BigQuery::with(json!({ "page_rows": 100 })).await else { return };
    let sql = engine.numbers(2050);
    let mut bench = Bench::new(engine, &sql);
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len(), 2050);
    let preview = bench.warehouse.preview(&bench.model, Wanted::First, 500).await.unwrap();
    assert_eq!(preview.rows.num_rows(), 500);
    let (last, before) = extracted.changes.split_last().unwrap();
    let after = before[1999].seq;
    let rest = bench.changes(&extracted.job, &Operation::ALL, Some(after)).await;
    assert_eq!(rest.len(), 50);
    assert_eq!(rest.last(), Some(last));
}

#[tokio::test]
async fn more_changes_than_one_statement_puts_in_order_come_in_order() {
    let Some(engine) = BigQuery::start().await else { return };
    let sql = engine.numbers(101_000);
    let by_statements = with(engine.settings(), &json!({ "storage_read": "never" }));
    let mut bench = Bench::new(engine, &sql);
    bench.warehouse = source(&by_statements);
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let seqs = async |after| {
        let stream = bench.warehouse.changes(&job, &Operation::ALL, after).await.unwrap();
        let batches: Vec<_> = stream.try_collect().await.unwrap();
        let sets = batches
            .iter()
            .map(|batch| ebb_core::RecordSet::new(batch, "m".into(), "t".into()).unwrap());
        sets.flat_map(|set| set.iter().map(ebb_core::Record::seq).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let all = seqs(None).await;
    assert_eq!(all.len(), 101_000);
    assert!(all.is_sorted_by(|one, next| one < next));
    assert_eq!(seqs(Some(all[99_990])).await, all[99_991..]);
    let log = bench.engine.double().log().await;
    let ranges = log.iter().filter(|entry| entry["sql"].as_str().unwrap().contains("seq <= "));
    assert_eq!(ranges.count(), 3, "two, and one for the rest");
}

#[tokio::test]
async fn a_page_that_is_shorter_than_others_is_filled_up() {
    let Some(engine) = BigQuery::start().await else { return };
    let sql = engine.numbers(1000);
    let mut bench = Bench::new(engine, &sql);
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let double = bench.engine.double();
    double.switch(json!({ "page_rows": 300 })).await;
    let mut changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let mut rows = changes.try_next().await.unwrap().unwrap().num_rows();
    double.switch(json!({ "page_rows": 70 })).await;
    while let Some(batch) = changes.try_next().await.unwrap() {
        rows += batch.num_rows();
    }
    assert_eq!(rows, 1000);
}

#[tokio::test]
async fn a_page_that_fails_twice_then_works_is_fetched_again() {
    let Some(engine) = BigQuery::with(json!({ "page_rows": 10 })).await else { return };
    let sql = engine.numbers(45);
    let double = engine.double();
    double.fault(json!({ "path": "startIndex=20", "status": 503, "count": 2 })).await;
    double.fault(json!({ "path": "startIndex=30", "cut": true })).await;
    let mut bench = Bench::new(engine, &sql);
    assert_eq!(bench.extract().await.changes.len(), 45);
}

#[tokio::test]
async fn a_stream_that_ends_early_goes_on_after_its_last_row() {
    let Some(engine) = BigQuery::with(json!({ "page_rows": 10 })).await else { return };
    let sql = engine.numbers(45);
    let gone =
        json!({ "error": { "errors": [{ "reason": "notFound", "message": "Not found: Job" }] } });
    engine.double().fault(json!({ "path": "startIndex=30", "status": 404, "body": gone })).await;
    let mut bench = Bench::new(engine, &sql);
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let mut changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let mut seqs = Vec::new();
    let failure = loop {
        match changes.try_next().await {
            Ok(batch) => {
                let batch = batch.unwrap();
                let set = ebb_core::RecordSet::new(&batch, "m".into(), "t".into()).unwrap();
                seqs.extend(set.iter().map(ebb_core::Record::seq));
            }
            Err(failure) => break failure,
        }
    };
    assert_eq!((failure.code, seqs.len()), (Code::SourceLost, 30));
    let rest = bench.changes(&job, &Operation::ALL, seqs.last().copied()).await;
    assert_eq!(rest.len(), 15);
}

#[tokio::test]
async fn a_job_whose_request_got_no_answer_runs_once() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    bench.run("delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let double = bench.engine.double();
    double.fault(json!({ "sql": "^begin", "status": 504, "lost": true, "count": 2 })).await;
    bench.commit(&extracted.commit()).await;
    let log = bench.engine.double().log().await;
    let scripts = log.iter().filter(|entry| entry["sql"].as_str().unwrap().starts_with("begin"));
    assert_eq!(scripts.count(), 2, "one for each commit");
    assert_lines!(bench.sync().await, []);
}

#[tokio::test]
async fn a_job_that_takes_longer_than_an_answer_is_asked_after() {
    let Some(double) = Double::start(json!({})).await else { return };
    double.fault(json!({ "sql": "^select 1$", "delay_s": 0.5 })).await;
    finds_nothing_wrong(&double.settings()).await;
}
