//! What goes wrong, and what a person is told then. No answer of the double shows a secret.

use std::time::Duration;

use ebb_core::{Failure, port::Wanted};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::double::Double;
use crate::{bench::Bench, engine::ClickHouse};

fn told(failure: &Failure) -> String {
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    format!("{}: {}\n  {}", failure.code.as_str(), failure.message(), failure.advice())
}

async fn first_failure(double: &Double, settings: &Value) -> String {
    let findings = double.source(settings).check().await;
    let failure = findings.iter().find_map(|finding| finding.failure.as_ref());
    told(failure.expect("something is wrong"))
}

async fn finds_nothing_wrong(double: &Double, settings: &Value) {
    let findings = double.source(settings).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
}

#[tokio::test]
async fn refused_credentials_are_told() {
    let Some(double) = Double::start().await else { return };
    let mut all = Vec::new();
    for others in [
        json!({ "password": "hunter2" }),
        json!({ "user": "nobody" }),
        json!({ "user": null, "password": null, "token": "hunter2" }),
    ] {
        all.push(first_failure(&double, &double.settings_with(&others)).await);
    }
    for (code, name, message) in [
        (194, "REQUIRED_PASSWORD", "Password required for user ebb."),
        (195, "IP_ADDRESS_NOT_ALLOWED", "User ebb is not allowed to connect from address ::1."),
    ] {
        let error = json!({ "code": code, "name": name, "message": message });
        double.fault(json!({ "sql": "^select 1$", "error": error })).await;
        all.push(first_failure(&double, &double.settings()).await);
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn what_the_server_refuses_is_told_with_what_mends_it() {
    let Some(double) = Double::start().await else { return };
    let mut all = Vec::new();
    let missing =
        "ebb: Not enough privileges. To execute this query, it's necessary to have the grant";
    let managed = double.managed();
    for (code, name, message) in [
        (497, "ACCESS_DENIED", format!("{missing} SELECT(id, Name) ON shop.users.")),
        (497, "ACCESS_DENIED", format!("{missing} CREATE DATABASE ON {managed}.*.")),
        (497, "ACCESS_DENIED", format!("{missing} SELECT ON system.processes.")),
        (497, "ACCESS_DENIED", "ebb: Not enough privileges.".to_owned()),
        (164, "READONLY", "ebb: Cannot execute query in readonly mode.".to_owned()),
        (
            452,
            "SETTING_CONSTRAINT_VIOLATION",
            "Setting join_algorithm should not be changed".to_owned(),
        ),
        (115, "UNKNOWN_SETTING", "Unknown setting 'session_timezone'".to_owned()),
        (
            60,
            "UNKNOWN_TABLE",
            "Unknown table expression identifier 'user'. Maybe you meant users?".to_owned(),
        ),
        (81, "UNKNOWN_DATABASE", "Database shop does not exist".to_owned()),
        (159, "TIMEOUT_EXCEEDED", "Timeout exceeded: elapsed 3600 s".to_owned()),
        (241, "MEMORY_LIMIT_EXCEEDED", "User memory limit exceeded: would use 9.31 GiB".to_owned()),
        (243, "NOT_ENOUGH_SPACE", "Cannot reserve 1.00 MiB, not enough space".to_owned()),
        (201, "QUOTA_EXCEEDED", "Quota for user `ebb` for 3600s has been exceeded".to_owned()),
        (394, "QUERY_WAS_CANCELLED", "Query was cancelled".to_owned()),
        (242, "TABLE_IS_READ_ONLY", "Table is in readonly mode".to_owned()),
        (
            80,
            "INCORRECT_QUERY",
            "CREATE OR REPLACE TABLE query is supported only for Atomic databases".to_owned(),
        ),
    ] {
        let error = json!({ "code": code, "name": name, "message": message });
        double.fault(json!({ "sql": "^select 1$", "error": error })).await;
        all.push(first_failure(&double, &double.settings()).await);
    }
    insta::assert_snapshot!(all.join("\n").replace(&managed, "managed"));
}

#[tokio::test]
async fn what_does_not_answer_like_a_server_is_told() {
    let Some(double) = Double::start().await else { return };
    let mut all = Vec::new();
    for (status, body) in [(404, "<html>\nno such page</html>"), (302, "")] {
        double.fault(json!({ "sql": "^select 1$", "status": status, "body": body })).await;
        all.push(first_failure(&double, &double.settings()).await);
    }
    let nowhere = json!({ "host": "localhost", "port": 1 });
    all.push(first_failure(&double, &double.settings_with(&nowhere)).await);
    let all = all.join("\n");
    let shown = all.split(" (os error").next().unwrap();
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn a_server_without_encryption_is_not_spoken_to_in_clear() {
    let Some(double) = Double::start().await else { return };
    let encrypted = json!({ "sslmode": null });
    let told = first_failure(&double, &double.settings_with(&encrypted)).await;
    assert!(told.starts_with("S104"), "{told}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let Some(double) = Double::start().await else { return };
    let busy = json!({ "sql": "^select 1$", "status": 429, "headers": { "Retry-After": "1" } });
    double.fault(busy).await;
    let many = json!({ "code": 202, "name": "TOO_MANY_SIMULTANEOUS_QUERIES", "message": "Too many simultaneous queries. Maximum: 100" });
    double.fault(json!({ "sql": "^create or replace", "error": many })).await;
    double
        .fault(json!({ "sql": "^insert", "status": 503, "headers": { "Retry-After": "0" } }))
        .await;
    let before = Instant::now();
    finds_nothing_wrong(&double, &double.settings()).await;
    assert!(before.elapsed() >= Duration::from_secs(1));
    double.fault(json!({ "sql": "^select 1$", "count": 6, "error": many })).await;
    let told = first_failure(&double, &double.settings()).await;
    assert!(told.starts_with("S107: the server has too much to do"), "{told}");
}

#[tokio::test]
async fn a_service_that_wakes_up_is_waited_for() {
    let Some(double) = Double::start().await else { return };
    double.fault(json!({ "sql": "^select version", "status": 503, "count": 2 })).await;
    double.fault(json!({ "sql": "^select 1$", "status": 502 })).await;
    finds_nothing_wrong(&double, &double.settings()).await;
    double.fault(json!({ "sql": "^select version", "status": 504, "count": 100 })).await;
    let impatient = double.settings_with(&json!({ "start_timeout": "1" }));
    let told = first_failure(&double, &impatient).await;
    assert!(told.starts_with("S101: the service did not wake up within 1 s"), "{told}");
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out() {
    let Some(double) = Double::start().await else { return };
    double.fault(json!({ "sql": "^select 1$", "delay_s": 60 })).await;
    let impatient = double.settings_with(&json!({ "statement_timeout": "1" }));
    let told = first_failure(&double, &impatient).await;
    assert!(told.starts_with("S106: a statement took longer than 1 s"), "{told}");
}

/// Slow in the engine itself, and not by a fault.
const SLOW: &str = "select id, sleepEachRow(3) as slow from users cross join numbers(100) n \
                    settings function_sleep_max_microseconds_per_block = 0";

#[tokio::test]
async fn a_dropped_diff_is_killed_and_leaves_no_table() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.query(SLOW);
    let job = bench.job().await;
    let double = bench.engine.double();
    tokio::select! {
        diff = bench.warehouse.diff(&job) => panic!("{diff:?}"),
        () = double.until_taken("create or replace") => {}
    }
    double.until_canceled("create or replace").await;
    assert!(!bench.warehouse.has_changes(&job).await.unwrap());
}

#[tokio::test]
async fn a_dropped_preview_is_killed() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.query(SLOW);
    let double = bench.engine.double();
    tokio::select! {
        preview = bench.warehouse.preview(&bench.model, Wanted::First, 100) => panic!("{preview:?}"),
        () = double.until_taken("select cast(") => {}
    }
    double.until_canceled("select cast(").await;
}
