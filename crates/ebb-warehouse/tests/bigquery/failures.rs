//! What goes wrong, and what a person is told then. No answer of the double shows a secret.

use std::time::Duration;

use ebb_core::{Code, Failure};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    double::{Double, source},
    requests::finds_nothing_wrong,
};
use crate::{assert_lines, bench::Bench, engine::BigQuery};

pub(super) fn told(failure: &Failure) -> String {
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    format!("{}: {}\n  {}", failure.code.as_str(), failure.message(), failure.advice())
}

async fn first_failure(settings: &Value) -> String {
    let findings = source(settings).check().await;
    let failure = findings.iter().find_map(|finding| finding.failure.as_ref());
    told(failure.expect("something is wrong"))
}

#[tokio::test]
async fn refused_credentials_are_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut stranger = double.key["service_account"].clone();
    stranger["client_email"] = "nobody@double.iam.gserviceaccount.com".into();
    let mut broken = double.key["service_account"].clone();
    broken["private_key"] = "hunter2".into();
    let subject = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(subject.path(), "hunter2").unwrap();
    let mut workload = double.key["workload"].clone();
    workload["credential_source"] = json!({ "file": subject.path() });
    let mut all = Vec::new();
    for credentials in [stranger, broken, workload] {
        let mut settings = double.settings();
        settings["credentials"] = credentials.to_string().into();
        all.push(first_failure(&settings).await);
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for others in [
        json!({ "credentials": "hunter2" }),
        json!({ "credentials": "{\"private_key\": \"hunter2\"}" }),
        json!({ "credentials": "{\"type\": \"gdch_service_account\", \"private_key\": \"hunter2\"}" }),
        json!({ "credentials_path": "nowhere/key.json" }),
    ] {
        let mut settings = double.settings();
        let map = settings.as_object_mut().unwrap();
        map.remove("credentials");
        map.extend(others.as_object().unwrap().clone());
        let settings = map.clone().into();
        let refused =
            ebb_warehouse::connect("bigquery", &settings, "m", &ebb_core::Limits::default());
        all.push(told(&refused.err().unwrap()));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn an_expired_token_is_made_anew_once_and_then_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let expired = json!({ "error": { "errors": [{
        "reason": "authError", "message": "Request had expired credentials."
    }] } });
    let refused =
        |count: u32| json!({ "sql": "^select 1$", "status": 401, "body": expired, "count": count });
    double.fault(refused(1)).await;
    finds_nothing_wrong(&double.settings()).await;
    double.fault(refused(2)).await;
    insta::assert_snapshot!(first_failure(&double.settings()).await);
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says() {
    let Some(double) = Double::start(json!({})).await else { return };
    let busy = json!({ "sql": "^select 1$", "status": 429, "headers": { "Retry-After": "1" } });
    double.fault(busy).await;
    double.fault(json!({ "sql": "^select 1$", "status": 503 })).await;
    let quick = json!({ "error": { "errors": [{ "reason": "rateLimitExceeded" }] } });
    double.fault(json!({ "path": "^GET queries", "status": 403, "body": quick })).await;
    let before = Instant::now();
    finds_nothing_wrong(&double.settings()).await;
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_the_service_refuses_is_told_with_what_mends_it() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for (reason, message) in [
        (
            "accessDenied",
            "Access Denied: Project shop: User does not have bigquery.jobs.create permission in project shop.",
        ),
        (
            "accessDenied",
            "Access Denied: Project shop: User does not have bigquery.datasets.create permission in project shop.",
        ),
        (
            "accessDenied",
            "Access Denied: Table shop:sales.users: User does not have permission to query table shop:sales.users, \
             or perhaps it does not exist.",
        ),
        (
            "accessDenied",
            "Access Denied: Dataset shop:__segment_reverse_etl: Permission bigquery.tables.create denied on dataset \
             shop:__segment_reverse_etl (or it may not exist).",
        ),
        ("notFound", "Not found: Dataset shop:sales was not found in location US"),
        ("notFound", "Not found: Project shop"),
        ("stopped", "Job execution was cancelled: Job timed out after 3600 sec"),
        ("stopped", "Job execution was cancelled: User requested cancellation"),
        (
            "quotaExceeded",
            "Quota exceeded: Your project exceeded quota for free query bytes scanned.",
        ),
        (
            "bytesBilledLimitExceeded",
            "Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.",
        ),
        (
            "billingNotEnabled",
            "Billing has not been enabled for this project. DML queries are not allowed in the free tier.",
        ),
        ("resourcesExceeded", "Resources exceeded during query execution."),
        ("backendError", "Error encountered during execution. Retrying may solve the problem."),
        ("invalidQuery", "Syntax error: Unexpected keyword FROM at [1:8]"),
    ] {
        let error = json!({ "reason": reason, "message": message });
        double.fault(json!({ "sql": "^select 1$", "error": error })).await;
        let failure = first_failure(&double.settings()).await;
        all.push(failure.replace(&double.project, "shop"));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn a_dataset_that_lies_elsewhere_is_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    finds_nothing_wrong(&double.settings()).await;
    let mut settings = double.settings();
    settings["location"] = "EU".into();
    insta::assert_snapshot!(first_failure(&settings).await);
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut settings = double.settings();
    settings["endpoint"] = "http://127.0.0.1:9".into();
    insta::assert_snapshot!(first_failure(&settings).await);
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut settings = double.settings();
    settings["statement_timeout"] = "1".into();
    double.fault(json!({ "sql": "^select 1$", "delay_s": 60 })).await;
    assert!(first_failure(&settings).await.starts_with("S106: a statement took longer than 1 s"));
}

#[tokio::test]
async fn a_dropped_diff_is_canceled() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    let double = bench.engine.double();
    double.fault(json!({ "sql": "^create or replace", "delay_s": 60 })).await;
    tokio::select! {
        diff = bench.warehouse.diff(&job) => panic!("{diff:?}"),
        () = double.until_taken("create or replace") => {}
    }
    double.until_canceled("create or replace").await;
    assert!(!bench.warehouse.has_changes(&job).await.unwrap());
}

#[tokio::test]
async fn a_commit_that_fails_half_way_changes_nothing_and_can_be_repeated() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let before = bench.tracked().await;
    // The script stops before each of its statements once: all are undone.
    for place in 1..7 {
        bench.engine.double().fault(json!({ "sql": "^begin", "stop_at": place })).await;
        let failure = bench.warehouse.commit(&extracted.commit()).await.unwrap_err();
        assert_eq!(failure.code, Code::SourceQuery, "{failure}");
        assert_eq!(bench.tracked().await, before);
        let again = bench.extract().await;
        assert_eq!(again.diff.changes, extracted.diff.changes, "at {place}");
        bench.warehouse.finish(&again.job).await.unwrap();
    }
    bench.commit(&extracted.commit()).await;
    assert_lines!(bench.sync().await, []);
}

#[tokio::test]
async fn a_commit_killed_between_two_jobs_can_be_repeated() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    // Values are kept from now on, so the records change their shape too.
    bench.keep_deleted_values = true;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let before = bench.tracked().await;
    let seqs = extracted.seqs(&["2"]);
    let commit = ebb_core::port::Commit { seqs, ..extracted.commit() };
    for job in [
        "^create or replace .*records_",
        "^create or replace .*seqs_",
        "^insert into .*seqs_",
        "^begin",
    ] {
        let error = json!({ "reason": "invalid", "message": "stopped" });
        bench.engine.double().fault(json!({ "sql": job, "error": error })).await;
        bench.warehouse.commit(&commit).await.unwrap_err();
        assert_eq!(bench.tracked().await, before);
        let again = bench.extract().await;
        assert_eq!(again.diff.changes, extracted.diff.changes, "at {job}");
        bench.warehouse.finish(&again.job).await.unwrap();
    }
    bench.commit(&commit).await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":null,"name":null,"city":null}"#]);
    bench.run("delete from users").await;
    assert_lines!(bench.sync().await, [r#"deleted 1 {"id":1,"name":"Ada","city":"Bonn"}"#]);
    let left = bench.engine.double().tables("__segment_reverse_etl").await;
    assert_eq!(left, ["checkpoints_users-to_hook", "records_users-to_hook"]);
}
