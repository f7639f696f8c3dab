//! What goes wrong, and what a person is told then. No answer of the double shows a secret.

use std::time::Duration;

use ebb_core::Failure;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::double::Double;
use crate::{bench::Bench, engine::Databricks};

fn told(failure: &Failure) -> String {
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    format!("{}: {}\n  {}", failure.code.as_str(), failure.message(), failure.advice())
}

async fn first_failure(double: &Double, settings: &Value) -> String {
    let findings = double.source(settings).check().await;
    let failure = findings.iter().find_map(|finding| finding.failure.as_ref());
    told(failure.expect("something is wrong"))
}

#[tokio::test]
async fn refused_credentials_are_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for others in [
        json!({ "token": "hunter2" }),
        json!({ "client_id": "client", "client_secret": "hunter2" }),
        json!({ "client_id": "nobody", "client_secret": "secret" }),
    ] {
        all.push(first_failure(&double, &double.settings_with(&others)).await);
    }
    // A token that is refused again after it was renewed.
    let refused = json!({ "error_code": "403", "message": "Invalid access token." });
    double.fault(json!({ "sql": "^select 1$", "status": 401, "body": refused, "count": 2 })).await;
    let machine = json!({ "client_id": "client", "client_secret": "secret" });
    all.push(first_failure(&double, &double.settings_with(&machine)).await);
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says() {
    let Some(double) = Double::start(json!({})).await else { return };
    let busy = json!({ "sql": "^select 1$", "status": 429, "headers": { "Retry-After": "1" } });
    double.fault(busy).await;
    double.fault(json!({ "sql": "^select 1$", "status": 503 })).await;
    double.fault(json!({ "sql": "^create or replace", "status": 503 })).await;
    let before = Instant::now();
    let findings = double.source(&double.settings()).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_the_service_refuses_is_told_with_what_mends_it() {
    let Some(double) = Double::start(json!({})).await else { return };
    let machine = json!({ "client_id": "client", "client_secret": "secret" });
    let settings = double.settings_with(&machine);
    let mut all = Vec::new();
    for (code, state, message) in [
        (
            "BAD_REQUEST",
            "42501",
            "[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\nUser does not have USE SCHEMA on Schema 'main.sales'. SQLSTATE: 42501",
        ),
        (
            "BAD_REQUEST",
            "",
            "PERMISSION_DENIED: User does not have SELECT on Table 'main.sales.order-lines'.",
        ),
        ("BAD_REQUEST", "42501", "User may not read files."),
        ("BAD_REQUEST", "", "[STATEMENT_TIMEOUT] The statement was cancelled after 172800 s."),
        ("DEADLINE_EXCEEDED", "", "Timed out."),
        ("RESOURCE_EXHAUSTED", "", "The warehouse has no room left."),
        ("TEMPORARILY_UNAVAILABLE", "", "The warehouse is being started."),
        ("UNAUTHENTICATED", "", "The token has expired."),
        ("CANCELLED", "", ""),
        ("BAD_REQUEST", "42703", "[UNRESOLVED_COLUMN] A column cannot be resolved."),
    ] {
        let error = json!({ "error_code": code, "message": message });
        let fault = json!({ "sql": "^select 1$", "error": error, "sql_state": state });
        double.fault(fault).await;
        all.push(first_failure(&double, &settings).await);
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn refused_requests_are_told_with_what_mends_them() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for (status, code, message) in [
        (403, "PERMISSION_DENIED", "You do not have permission to use the SQL Warehouse."),
        (404, "RESOURCE_DOES_NOT_EXIST", "SQL warehouse wh1 does not exist."),
        (400, "INVALID_PARAMETER_VALUE", "The statement is too long."),
        (413, "", ""),
    ] {
        let body = json!({ "error_code": code, "message": message });
        let fault = json!({ "sql": "^select 1$", "status": status, "body": body });
        double.fault(fault).await;
        all.push(first_failure(&double, &double.settings()).await);
    }
    for (key, value) in [
        ("http_path", "/sql/1.0/warehouses/other"),
        ("catalog", "nowhere"),
        ("hostname", "http://localhost:1"),
    ] {
        let mut settings = double.settings();
        settings[key] = value.into();
        all.push(first_failure(&double, &settings).await);
    }
    let all = all.join("\n");
    let shown = all.split(" (os error").next().unwrap();
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn a_warehouse_that_starts_is_waited_for() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut settings = double.settings();
    settings["statement_timeout"] = "2".into();
    double.fault(json!({ "sql": "^select 1$", "pending_s": 6 })).await;
    let findings = double.source(&settings).check().await;
    let failed = findings.iter().find_map(|finding| finding.failure.as_ref());
    // Whatever came after it may be too slow for two seconds on a busy machine.
    assert!(failed.is_none_or(|failure| !failure.message().contains("start")), "{failed:?}");
    assert!(findings.len() > 3, "{findings:?}");
}

#[tokio::test]
async fn a_warehouse_that_does_not_start_is_told_and_nothing_goes_on_waiting() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut settings = double.settings();
    settings["start_timeout"] = "1".into();
    double.fault(json!({ "sql": "^select 1$", "pending_s": 60 })).await;
    insta::assert_snapshot!(first_failure(&double, &settings).await);
    double.until_canceled("select 1").await;
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out_and_is_canceled() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut settings = double.settings();
    settings["statement_timeout"] = "1".into();
    double.fault(json!({ "sql": "^select 1$", "delay_s": 60 })).await;
    assert!(first_failure(&double, &settings).await.starts_with("S106"));
    double.until_canceled("select 1").await;
}

#[tokio::test]
async fn a_dropped_diff_is_canceled_and_leaves_no_table() {
    let Some(engine) = Databricks::start().await else { return };
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
