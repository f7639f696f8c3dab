//! The protocol of sessions: how they sign in and go on, and what becomes of results behind links.

use std::time::Duration;

use ebb_core::{Code, Failure, Operation};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::double::{Double, source};
use crate::{
    assert_lines,
    bench::Bench,
    engine::{Engine, SnowflakeBySession},
};

const NUMBERS: &str = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 45) \
                       select id from n";

async fn in_pieces(switches: &Value) -> Option<SnowflakeBySession> {
    let mut all = json!({ "fold": "lower", "partition_rows": 10 });
    all.as_object_mut().unwrap().extend(switches.as_object().unwrap().clone());
    SnowflakeBySession::with(all).await
}

async fn failures(settings: &Value) -> Vec<Failure> {
    source(settings).check().await.into_iter().filter_map(|finding| finding.failure).collect()
}

fn told(failure: &Failure) -> String {
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    format!("{}: {}\n  {}", failure.code.as_str(), failure.message(), failure.advice())
}

#[tokio::test]
async fn every_kind_of_credentials_signs_in() {
    let Some(double) = Double::start(json!({})).await else { return };
    let key = double.key().await["plain"].clone();
    for others in [
        json!({ "user": "svc", "password": "snow" }),
        json!({ "protocol": "session", "token": "dev-pat" }),
        json!({ "protocol": "session", "oauth_token": "dev-oauth" }),
        json!({ "protocol": "session", "account": "acme-test", "user": "svc", "private_key": key }),
    ] {
        assert_eq!(failures(&double.settings_with(&others)).await, []);
    }
    let mut ways: Vec<_> = double.sessions().await;
    ways.dedup_by_key(|session| session["how"].clone());
    let ways: Vec<_> = ways.iter().map(|session| session["how"].as_str().unwrap()).collect();
    assert_eq!(ways, ["SNOWFLAKE", "PROGRAMMATIC_ACCESS_TOKEN", "OAUTH", "SNOWFLAKE_JWT"]);
}

#[tokio::test]
async fn who_cannot_sign_in_is_told_why() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for others in [
        json!({ "user": "svc", "password": "hunter2" }),
        json!({ "protocol": "session", "token": "hunter2" }),
        json!({ "protocol": "session", "oauth_token": "hunter2" }),
    ] {
        all.push(told(&failures(&double.settings_with(&others)).await[0]));
    }
    let settings = double.settings_with_password();
    for (code, message, data) in [
        ("390120", "Duo Security denied the login.", json!({})),
        ("", "", json!({ "nextAction": "EXT_AUTHN_DUO_ALL" })),
        ("394507", "Multi-factor authentication is required for this account.", json!({})),
        (
            "390422",
            "Incoming request with IP/Token 10.0.0.1 is not allowed to access Snowflake.",
            json!({}),
        ),
        (
            "390189",
            "Role 'EBB' specified in the connect string is not granted to this user.",
            json!({}),
        ),
        ("390101", "User access disabled.", json!({})),
    ] {
        let body = json!({ "success": false, "code": code, "message": message, "data": data });
        double.fault(json!({ "path": "login-request", "status": 200, "body": body })).await;
        let failures = failures(&settings).await;
        assert_eq!(failures.len(), 1, "{code} {message}: {failures:?}");
        all.push(told(&failures[0]));
    }
    double.fault(json!({ "path": "login-request", "status": 403, "body": {} })).await;
    all.push(told(&failures(&settings).await[0]));
    let mut nowhere = settings;
    nowhere["database"] = "nowhere".into();
    all.push(told(&failures(&nowhere).await[0]));
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn a_session_that_expires_is_renewed_or_begins_anew_once_and_then_it_is_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let source = source(&double.settings_with_password());
    let check = async || -> Vec<Failure> {
        source.check().await.into_iter().filter_map(|finding| finding.failure).collect()
    };
    assert_eq!(check().await, []);
    let begun = double.sessions().await.len();
    double.expire("session").await;
    assert_eq!(check().await, []);
    let sessions = double.sessions().await;
    assert_eq!((sessions.len(), &sessions[begun - 1]["renewed"]), (begun, &json!(1)));

    double.expire("master").await;
    assert_eq!(check().await, []);
    assert_eq!(double.sessions().await.len(), begun + 1);

    let expired =
        json!({ "code": "390112", "message": "Your session has expired.", "success": false });
    let query = "^/queries/v1/query";
    double.fault(json!({ "path": query, "status": 200, "body": expired, "count": 3 })).await;
    insta::assert_snapshot!(told(&check().await[0]), @r"
    S102: Snowflake ends every session of the user: Your session has expired. (code 390112)
      Let an administrator see in `snowflake.account_usage.sessions` who ends them, and whether the user is disabled or a session policy sets too short a time
    ");
}

#[tokio::test]
async fn an_oauth_token_that_expired_is_refreshed_once_at_the_sign_in() {
    let Some(double) = Double::start(json!({})).await else { return };
    let settings = double.settings_with(&json!({
        "protocol": "session", "oauth_client_id": "ebb", "oauth_client_secret": "of the client",
        "oauth_scope": double.database, "oauth_refresh_token": "dev-refresh-0",
    }));
    let expired =
        json!({ "code": "390318", "message": "OAuth access token expired.", "success": false });
    double.fault(json!({ "path": "login-request", "status": 200, "body": expired })).await;
    assert_eq!(failures(&settings).await, []);
    assert_eq!(double.grants(&double.database).await, json!(["refresh_token", "refresh_token"]));
}

#[tokio::test]
async fn sessions_serve_one_operation_after_the_other_and_say_what_they_work_for() {
    let Some(engine) = SnowflakeBySession::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    let double = bench.engine.double();
    let sessions = double.sessions().await;
    // The one that made the managed schema was in there after it.
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let parameters = &sessions[0]["parameters"];
    assert_eq!(parameters["TIMEZONE"], "UTC");
    assert_eq!(parameters["STATEMENT_TIMEOUT_IN_SECONDS"], 3600);
    let log = double.log().await;
    let ours: Vec<&Value> = log.iter().filter(|entry| entry["role"] == "EBB").collect();
    let commit =
        ours.iter().find(|entry| entry["statement"].as_str().unwrap().starts_with("begin;"));
    assert_eq!(commit.unwrap()["parameters"]["MULTI_STATEMENT_COUNT"], 7);
    let tag = |entry: &&Value| {
        entry["parameters"]["QUERY_TAG"].as_str().unwrap().starts_with("ebb:users-to_hook:")
    };
    assert!(ours.iter().filter(|entry| tag(entry)).count() > 3);
    drop(bench.warehouse);
    bench.engine.double().until_ended(2).await;
}

#[tokio::test]
async fn the_protocol_may_change_between_two_syncs() {
    let Some(engine) = SnowflakeBySession::start().await else { return };
    let by_requests = source(&engine.double().settings());
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, null, '')").await;
    let by_session = bench.sync().await;
    bench.warehouse = by_requests;
    assert_lines!(bench.sync().await, []);
    bench.warehouse.reset("users-to_hook").await.unwrap();
    assert_eq!(bench.sync().await, by_session);
}

#[tokio::test]
async fn a_result_behind_links_comes_in_order_however_the_storage_keeps_it() {
    for switches in [
        json!({}),
        json!({ "packed": true }),
        json!({ "qrmk": true }),
        json!({ "format": "json", "packed": true }),
    ] {
        let Some(engine) = in_pieces(&switches).await else { return };
        let mut bench = Bench::new(engine, NUMBERS);
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes.len(), 45, "{switches}");
        assert_eq!(bench.changes(&extracted.job, &Operation::ALL, Some(40)).await.len(), 5);
    }
}

#[tokio::test]
async fn a_piece_that_fails_twice_then_works_is_fetched_again() {
    let Some(engine) = in_pieces(&json!({})).await else { return };
    engine.double().fault(json!({ "path": "^/_storage/.*/2\\?", "status": 503, "count": 2 })).await;
    let mut bench = Bench::new(engine, NUMBERS);
    assert_eq!(bench.extract().await.changes.len(), 45);
}

#[tokio::test]
async fn links_that_expired_are_got_anew_by_a_session_that_expired_too() {
    let Some(engine) = in_pieces(&json!({})).await else { return };
    let double = engine.double();
    double.fault(json!({ "path": "^/_storage/.*/2\\?", "status": 403 })).await;
    let expired =
        json!({ "code": "390112", "message": "Your session has expired.", "success": false });
    double.fault(json!({ "path": "^/queries/.*/result", "status": 200, "body": expired })).await;
    let mut bench = Bench::new(engine, NUMBERS);
    assert_eq!(bench.extract().await.changes.len(), 45);
}

#[tokio::test]
async fn a_stream_whose_links_lead_nowhere_is_lost_and_can_go_on() {
    let Some(engine) = in_pieces(&json!({})).await else { return };
    engine.double().fault(json!({ "path": "^/_storage/.*/3\\?", "status": 403, "count": 2 })).await;
    let mut bench = Bench::new(engine, NUMBERS);
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
async fn links_that_are_never_good_are_told() {
    let Some(engine) = in_pieces(&json!({ "link_s": -1 })).await else { return };
    let mut bench = Bench::new(engine, NUMBERS);
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let failure = changes.try_collect::<Vec<_>>().await.unwrap_err();
    insta::assert_snapshot!(told(&failure), @r"
    S107: the connection to the source was lost: the storage answered `403` for a piece of the result
      Run the sync again; it goes on where it stopped
    ");
}

#[tokio::test]
async fn a_busy_service_is_asked_again_when_it_says() {
    let Some(double) = Double::start(json!({})).await else { return };
    let busy = json!({ "sql": "^select 1$", "status": 429, "headers": { "Retry-After": "1" } });
    double.fault(busy).await;
    double.fault(json!({ "path": "login-request", "status": 503 })).await;
    let before = Instant::now();
    assert_eq!(failures(&double.settings_with_password()).await, []);
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_statement_that_takes_longer_than_an_answer_is_asked_after() {
    let Some(double) = Double::start(json!({ "sync_s": 0.05 })).await else { return };
    double.fault(json!({ "sql": "^select 1$", "delay_s": 0.5 })).await;
    assert_eq!(failures(&double.settings_with_password()).await, []);
}

#[tokio::test]
async fn a_request_that_is_sent_again_runs_its_statement_once() {
    let Some(engine) = SnowflakeBySession::start().await else { return };
    let bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let double = bench.engine.double();
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

#[tokio::test]
async fn what_the_service_refuses_is_told_as_by_the_sql_api() {
    let Some(double) = Double::start(json!({})).await else { return };
    for (code, state, message) in [
        ("000606", "57P03", "No active warehouse selected in the current session."),
        (
            "003001",
            "42501",
            "SQL access control error:\nInsufficient privileges to operate on schema 'SALES'",
        ),
        (
            "000630",
            "57014",
            "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled.",
        ),
        (
            "001003",
            "42000",
            "SQL compilation error:\nsyntax error line 1 at position 7 unexpected 'from'.",
        ),
    ] {
        let said = json!({ "code": code, "sqlState": state, "message": message });
        double.fault(json!({ "sql": "^select 1$", "status": 422, "body": said })).await;
        let by_requests = told(&failures(&double.settings()).await[0]);
        let said = json!({ "success": false, "code": code, "message": message, "data": { "sqlState": state } });
        double.fault(json!({ "sql": "^select 1$", "status": 200, "body": said })).await;
        let by_session = told(&failures(&double.settings_with_password()).await[0]);
        assert_eq!(by_session, by_requests);
    }
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out_and_is_aborted() {
    let Some(double) = Double::start(json!({ "sync_s": 0.05 })).await else { return };
    let mut settings = double.settings_with_password();
    settings["statement_timeout"] = "1".into();
    double.fault(json!({ "sql": "^select 1$", "delay_s": 60 })).await;
    assert_eq!(failures(&settings).await[0].code, Code::SourceTimeout);
    double.until_canceled("select 1").await;
}

#[tokio::test]
async fn a_dropped_diff_is_aborted_and_its_session_serves_nobody_else() {
    let Some(engine) = SnowflakeBySession::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    let double = bench.engine.double();
    double.fault(json!({ "sql": "^create or replace", "delay_s": 60 })).await;
    tokio::select! {
        diff = bench.warehouse.diff(&job) => panic!("{diff:?}"),
        () = double.until_taken("create or replace") => {}
    }
    double.until_canceled("create or replace").await;
    double.until_ended(1).await;
    assert!(!bench.warehouse.has_changes(&job).await.unwrap());
}

#[tokio::test]
async fn a_commit_that_fails_half_way_changes_nothing_and_can_be_repeated() {
    let Some(engine) = SnowflakeBySession::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let before = bench.tracked().await;
    for place in 1..7 {
        bench.engine.double().fault(json!({ "sql": "^begin;", "stop_at": place })).await;
        let failure = bench.warehouse.commit(&extracted.commit()).await.unwrap_err();
        assert_eq!(failure.code, Code::SourceQuery, "{failure}");
        assert_eq!(bench.tracked().await, before);
    }
    bench.engine.double().until_ended(7).await;
    bench.commit(&extracted.commit()).await;
    assert_lines!(bench.sync().await, []);
    assert_eq!(bench.engine.count("users").await, 1);
}
