//! What goes wrong, and what a person is told then. No answer of the double shows a secret.

use std::time::Duration;

use ebb_core::{Code, Failure};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::double::{Double, source};
use crate::{assert_lines, bench::Bench, engine::Snowflake};

fn told(failure: &Failure) -> String {
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
    let key = double.key().await;
    let wrong_user =
        json!({ "account": "acme-test", "user": "nobody", "private_key": key["plain"] });
    let mut all = Vec::new();
    for others in [json!({ "token": "hunter2" }), json!({ "oauth_token": "hunter2" }), wrong_user] {
        all.push(first_failure(&double.settings_with(&others)).await);
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let key = double.key().await;
    let mut all = Vec::new();
    for others in [
        json!({ "private_key": "hunter2" }),
        json!({ "private_key_path": "nowhere/rsa_key.p8" }),
        json!({ "private_key": key["encrypted"] }),
        json!({ "private_key": key["encrypted"], "private_key_passphrase": "hunter2" }),
    ] {
        let mut settings = double.settings_with(&others);
        settings["account"] = "acme-test".into();
        settings["user"] = "svc".into();
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        let refused = ebb_warehouse::connect(
            "snowflake",
            &settings.into(),
            "m",
            &ebb_core::Limits::default(),
        );
        all.push(told(&refused.err().unwrap()));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn an_expired_token_is_signed_anew_once_and_then_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let key = double.key().await;
    let mut settings = double.settings_with(
        &json!({ "account": "acme-test", "user": "svc", "private_key": key["plain"] }),
    );
    let expired = json!({ "code": "390144", "message": "JWT token has expired." });
    double.fault(json!({ "sql": "^select 1$", "status": 401, "body": expired })).await;
    let findings = source(&settings).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    double.fault(json!({ "sql": "^select 1$", "status": 401, "body": expired, "count": 2 })).await;
    insta::assert_snapshot!(first_failure(&settings).await);
    settings = double.settings();
    double.fault(json!({ "sql": "^select 1$", "status": 401, "body": expired })).await;
    assert!(first_failure(&settings).await.starts_with("S102"));
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says() {
    let Some(double) = Double::start(json!({})).await else { return };
    let busy = json!({ "sql": "^select 1$", "status": 429, "headers": { "Retry-After": "1" } });
    double.fault(busy).await;
    double.fault(json!({ "sql": "^select 1$", "status": 503 })).await;
    let before = Instant::now();
    let findings = source(&double.settings()).check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_the_service_refuses_is_told_with_what_mends_it() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for (code, state, message) in [
        ("000606", "57P03", "No active warehouse selected in the current session."),
        (
            "390189",
            "08004",
            "Role 'EBB' specified in the connect string is not granted to this user.",
        ),
        (
            "003001",
            "42501",
            "SQL access control error:\nInsufficient privileges to operate on schema 'SALES'",
        ),
        (
            "003001",
            "42501",
            "SQL access control error:\nInsufficient privileges to operate on schema '__segment_reverse_etl'",
        ),
        (
            "003001",
            "42501",
            "SQL access control error:\nInsufficient privileges to operate on database 'SHOP'",
        ),
        (
            "000630",
            "57014",
            "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled.",
        ),
        (
            "090073",
            "22000",
            "Warehouse 'SMALL' cannot be resumed because resource monitor 'M' has exceeded its quota.",
        ),
        ("000604", "57014", "SQL execution canceled"),
        (
            "001003",
            "42000",
            "SQL compilation error:\nsyntax error line 1 at position 7 unexpected 'from'.",
        ),
    ] {
        let body = json!({ "code": code, "sqlState": state, "message": message });
        double.fault(json!({ "sql": "^select 1$", "status": 422, "body": body })).await;
        let failure = first_failure(&double.settings()).await;
        all.push(failure.replace(&double.database, "SHOP"));
    }
    let mut settings = double.settings();
    settings["database"] = "nowhere".into();
    all.push(first_failure(&settings).await);
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_told() {
    let settings = json!({ "host": "http://127.0.0.1:9", "database": "d", "token": "hunter2" });
    insta::assert_snapshot!(first_failure(&settings).await);
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out_and_is_canceled() {
    let Some(double) = Double::start(json!({ "sync_s": 0.05 })).await else { return };
    let mut settings = double.settings();
    settings["statement_timeout"] = "1".into();
    double.fault(json!({ "sql": "^select 1$", "delay_s": 60 })).await;
    assert!(first_failure(&settings).await.starts_with("S106"));
    double.until_canceled("select 1").await;
}

#[tokio::test]
async fn a_dropped_diff_is_canceled_whether_or_not_its_name_is_known() {
    for sync_s in [0.05, 45.0] {
        let Some(engine) = Snowflake::with(json!({ "fold": "lower", "sync_s": sync_s })).await
        else {
            return;
        };
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
}

#[tokio::test]
async fn a_commit_that_fails_half_way_changes_nothing_and_can_be_repeated() {
    let Some(engine) = Snowflake::with(json!({ "fold": "lower" })).await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let before = bench.tracked().await;
    // The request stops before each of its statements once: all are undone.
    for place in 1..7 {
        bench.engine.double().fault(json!({ "sql": "^begin;", "stop_at": place })).await;
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
async fn a_commit_killed_between_two_requests_can_be_repeated() {
    let Some(engine) = Snowflake::with(json!({ "fold": "lower" })).await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    // Values are kept from now on, so the records change their shape too.
    bench.keep_deleted_values = true;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let before = bench.tracked().await;
    let seqs = extracted.seqs(&["2"]);
    let commit = ebb_core::port::Commit { seqs, ..extracted.commit() };
    for request in [
        "^create or replace .*records_",
        "^create or replace .*seqs_",
        "^insert into .*seqs_",
        "^begin;",
    ] {
        let refused = json!({ "code": "000603", "message": "stopped" });
        bench
            .engine
            .double()
            .fault(json!({ "sql": request, "status": 422, "body": refused, "count": 1 }))
            .await;
        bench.warehouse.commit(&commit).await.unwrap_err();
        assert_eq!(bench.tracked().await, before);
        let again = bench.extract().await;
        assert_eq!(again.diff.changes, extracted.diff.changes, "at {request}");
        bench.warehouse.finish(&again.job).await.unwrap();
    }
    bench.commit(&commit).await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":null,"name":null,"city":null}"#]);
    bench.run("delete from users").await;
    assert_lines!(bench.sync().await, [r#"deleted 1 {"id":1,"name":"Ada","city":"Bonn"}"#]);
    let left = bench.engine.double().value(
        "select count(*) from information_schema.tables where table_schema = '__segment_reverse_etl' \
         and table_name not in ('records_users-to_hook', 'checkpoints_users-to_hook')",
    );
    assert_eq!(left.await, "0");
}
