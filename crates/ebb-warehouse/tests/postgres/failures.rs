//! What a user does wrong, and what goes wrong: each with its code, sentence and remedy.

use ebb_core::{Code, Failure, Operation, port::Wanted};
use futures_util::TryStreamExt;
use serde_json::json;

use super::server::{Server, Source, model};

/// A failure as people read it, without what differs from run to run.
fn told(failure: &Failure) -> String {
    format!("{failure}\n  {}", failure.advice())
}

async fn findings(source: &Source) -> String {
    let findings = source.0.check().await;
    let lines = findings.iter().map(|finding| match &finding.failure {
        Some(failure) => format!("{}: {}", finding.step, told(failure)),
        None => format!("{}: fine", finding.step),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let Some(server) = Server::start("wrong_password").await else { return };
    server.role("ebb_wrong_password").await;
    let mut settings = server.settings_of("ebb_wrong_password");
    settings.insert("password".to_owned(), "hunter2".into());
    insta::assert_snapshot!(findings(&Source::of(settings.clone())).await, @r"
    reach: fine
    sign in: S102: the server refused the password of user `ebb_wrong_password`
      Correct user and password in the source's settings, then test the connection
    ");
    settings.insert("user".to_owned(), "nobody".into());
    insta::assert_snapshot!(findings(&Source::of(settings)).await, @r"
    reach: fine
    sign in: S102: the server refused the password of user `nobody`
      Correct user and password in the source's settings, then test the connection
    ");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    for (host, port) in
        [("127.0.0.1", 1), ("no-such-host.invalid", 5432), ("/no/such/folder", 5432)]
    {
        let settings = json!({ "host": host, "port": port, "user": "ann", "password": "hunter2" });
        let findings = Source::of(settings.as_object().unwrap().clone()).0.check().await;
        let failure = findings[0].failure.as_ref().unwrap();
        assert_eq!(failure.code, Code::SourceUnreachable);
        assert!(failure.message().contains(host), "{failure}");
        assert!(!failure.message().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let Some(server) = Server::start("no_database").await else { return };
    let mut settings = server.settings();
    settings.insert("database".to_owned(), "nowhere".into());
    insta::assert_snapshot!(findings(&Source::of(settings)).await, @r"
    reach: S101: the server at `127.0.0.1` has no database `nowhere`
      Correct `database` in the source's settings
    ");
}

#[tokio::test]
async fn without_a_right_the_exact_grant_is_told() {
    let Some(server) = Server::start("rights").await else { return };
    server.role("ebb_rights").await;
    server
        .run(
            "create schema sales; create table sales.orders (id int);
             create schema closed; create table closed.orders2 (id int)",
        )
        .await;
    let source = Source::of(server.settings_of("ebb_rights"));
    insta::assert_snapshot!(findings(&source).await, @r#"
    reach: fine
    sign in: fine
    read: fine
    create schema: S103: user `ebb_rights` lacks a permission: permission denied for database ebb_rights
      Let an administrator run `grant create on database "ebb_rights" to "ebb_rights"`, or make the managed schema: `create schema "__segment_reverse_etl" authorization "ebb_rights"`
    "#);

    server.run("grant usage on schema sales to ebb_rights").await;
    let failure = source
        .0
        .preview(&model("select * from sales.orders"), Wanted::First, 10)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&failure), @r#"
    S103: user `ebb_rights` lacks a permission: permission denied for table orders
      Let an administrator run `grant select on "sales"."orders" to "ebb_rights"`
    "#);
    let failure = source
        .0
        .preview(&model("select * from closed.orders2"), Wanted::First, 10)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&failure), @r#"
    S103: user `ebb_rights` lacks a permission: permission denied for schema closed
      Let an administrator run `grant usage on schema "closed" to "ebb_rights"`
    "#);

    server.run("create schema \"__segment_reverse_etl\"").await;
    server.run("grant usage on schema \"__segment_reverse_etl\" to ebb_rights").await;
    let failure = source.sync(1, "select 1 as id").await.unwrap_err();
    insta::assert_snapshot!(told(&failure), @r#"
    S103: user `ebb_rights` lacks a permission: permission denied for schema __segment_reverse_etl
      Let an administrator run `grant usage, create on schema "__segment_reverse_etl" to "ebb_rights"`
    "#);
}

#[tokio::test]
async fn a_model_with_an_error_is_told_where() {
    let Some(server) = Server::start("bad_model").await else { return };
    let source = server.source();
    let mut all = Vec::new();
    for sql in [
        "select 1 as id,\n  nmae from (select 'ann' as name) u",
        "select 1 as id from nowhere",
        "select id from (select 1 as id) where",
        "select 1 as id, 1 / 0 as boom",
        "select '{}'::json as id",
        "select '{}'::jsonb as id",
        "select array[1] as id",
        "select 1.5::float8 as id",
        "select 1 as id, 2 as id",
    ] {
        all.push(told(&source.0.preview(&model(sql), Wanted::First, 10).await.unwrap_err()));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn too_many_columns_are_refused() {
    let Some(server) = Server::start("many_columns").await else { return };
    let columns: Vec<_> = (1..513).map(|number| format!(", {number} as c{number}")).collect();
    let columns = columns.concat();
    let source = server.source();
    let failure = source.0.columns(&model(&format!("select 1 as id{columns}"))).await.unwrap_err();
    assert_eq!(failure.code, Code::ModelColumns);
    let columns = columns.replace(", 512 as c512", "");
    let (diff, _) = source.sync(1, &format!("select 1 as id{columns}")).await.unwrap();
    assert_eq!(diff.changes.added, 1);
}

#[tokio::test]
async fn a_model_that_writes_is_stopped_by_the_server() {
    let Some(server) = Server::start("model_writes").await else { return };
    server
        .run(
            "create table log (line text);
             create function sly() returns int language sql as 'insert into log values (''x'') returning 1'",
        )
        .await;
    let failure = server
        .source()
        .0
        .preview(&model("select sly() as id"), Wanted::First, 10)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&failure), @r"
    S103: the session may only read: cannot execute INSERT in a read-only transaction
      Take what writes out of the model; if the server is a standby, name its primary in `host`
    ");
    assert_eq!(server.value("select count(*) from log").await, "0");
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out() {
    let Some(server) = Server::start("time_out").await else { return };
    let mut settings = server.settings();
    settings.insert("statement_timeout".to_owned(), "200ms".into());
    let source = Source::of(settings);
    let slow = model("select 1 as id, pg_sleep(60) is null as slept");
    let failure = source.0.preview(&slow, Wanted::First, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout, "{failure}");
}

#[tokio::test]
async fn a_locked_table_ends_the_wait() {
    let Some(server) = Server::start("locked").await else { return };
    let mut settings = server.settings();
    settings.insert("lock_timeout".to_owned(), "200ms".into());
    let source = Source::of(settings);
    server.run("create table busy (id int)").await;
    server.run("begin; lock table busy").await;
    let failure =
        source.0.preview(&model("select * from busy"), Wanted::First, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout, "{failure}");
    server.run("rollback").await;
}

#[tokio::test]
async fn a_connection_cut_while_extracting_is_lost_and_the_next_attempt_works() {
    let Some(server) = Server::start("cut").await else { return };
    let source = server.source();
    let sql = "select i as id, repeat('x', 1000) as filler from generate_series(1, 100000) i";
    let job = source.job(1, sql).await.unwrap();
    source.0.diff(&job).await.unwrap();
    let mut changes = source.0.changes(&job, &Operation::ALL, None).await.unwrap();
    let first = changes.try_next().await.unwrap().unwrap().num_rows();
    server
        .run(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where application_name like 'ebb%' and datname = current_database()",
        )
        .await;
    let failure = changes.try_fold(first, |rows, batch| async move { Ok(rows + batch.num_rows()) });
    let failure = failure.await.unwrap_err();
    assert_eq!(failure.code, Code::SourceLost, "{failure}");
    let again: Vec<_> = source
        .0
        .changes(&job, &Operation::ALL, Some(u64::try_from(first).unwrap()))
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let rows: usize = again.iter().map(arrow_array::RecordBatch::num_rows).sum();
    assert_eq!(first + rows, 100_000);
}
