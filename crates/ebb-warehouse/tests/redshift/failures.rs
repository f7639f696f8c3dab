//! What a user does wrong, and what goes wrong: each with its code, sentence and remedy.

use ebb_core::{Code, Failure, Operation, port::Wanted};
use futures_util::TryStreamExt;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Double, double::source};
use crate::postgres::{Source, model};

/// A failure as people read it.
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
    let Some(double) = Double::start("redshift_password").await else { return };
    double.server.role("ebb_redshift_password").await;
    let mut settings = double.settings_of("ebb_redshift_password");
    settings.insert("password".to_owned(), "hunter2".into());
    insta::assert_snapshot!(findings(&source(settings)).await, @r"
    reach: fine
    sign in: S102: the server refused the password of user `ebb_redshift_password`
      Correct user and password in the source's settings, then test the connection
    ");
}

#[tokio::test]
async fn a_password_of_another_recipe_is_told_with_the_way_out() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = json!({
        "host": "127.0.0.1", "port": port, "user": "ann", "password": "hunter2", "sslmode": "disable"
    });
    let source = source(settings.as_object().unwrap().clone());
    let server = async {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut start = [0; 8];
        client.read_exact(&mut start).await.unwrap();
        // Redshift's own digest, and its salt.
        client.write_all(b"R\0\0\0\x0c\0\0\0\x0d\0\0\0\0").await.unwrap();
        client
    };
    let (findings, _client) = tokio::join!(findings(&source), server);
    insta::assert_snapshot!(findings, @r#"
    reach: fine
    sign in: S102: the server asks user `ann` for a password in a way that is not known: unknown authentication tag `13`
      Let an administrator give it in clear: `alter user "ann" password '…'`
    "#);
}

#[tokio::test]
async fn a_server_without_encryption_is_not_trusted() {
    let Some(double) = Double::start("redshift_clear").await else { return };
    let mut settings = double.settings();
    settings.remove("sslmode");
    let findings = source(settings).0.check().await;
    let failure = findings[0].failure.as_ref().unwrap();
    assert_eq!(failure.code, Code::SourceTls, "{failure}");
}

#[tokio::test]
async fn without_a_right_the_exact_grant_is_told() {
    let Some(double) = Double::start("redshift_rights").await else { return };
    double.server.role("ebb_redshift_rights").await;
    double
        .server
        .run(
            "create schema sales; create table sales.orders (id int);
             grant usage on schema sales to ebb_redshift_rights",
        )
        .await;
    let source = source(double.settings_of("ebb_redshift_rights"));
    insta::assert_snapshot!(findings(&source).await, @r#"
    reach: fine
    sign in: fine
    read: fine
    create schema: S103: user `ebb_redshift_rights` lacks a permission: permission denied for database ebb_redshift_rights
      Let an administrator run `grant create on database "ebb_redshift_rights" to "ebb_redshift_rights"`, or make the managed schema: `create schema "__segment_reverse_etl" authorization "ebb_redshift_rights"`
    "#);
    let failure = source
        .0
        .preview(&model("select * from sales.orders"), Wanted::First, 10)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&failure), @r#"
    S103: user `ebb_redshift_rights` lacks a permission: permission denied for table orders
      Let an administrator run `grant select on "sales"."orders" to "ebb_redshift_rights"`
    "#);
}

#[tokio::test]
async fn the_guides_user_has_what_a_sync_needs() {
    let Some(double) = Double::start("redshift_guide").await else { return };
    double.server.role("ebb_redshift_guide").await;
    double.server.run("create schema sales; create table sales.users as select 1 as id").await;
    let names = [("user", "ebb_redshift_guide"), ("database", "ebb_redshift_guide")];
    let names = names.map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
    let sql = ebb_warehouse::setup("redshift", &names.into()).unwrap().unwrap();
    // What PostgreSQL does not have, or the test made already.
    let sql: Vec<_> = sql.lines().filter(|line| !line.starts_with("create user")).collect();
    let sql = sql.join("\n");
    double.server.run(&sql).await;
    let source = source(double.settings_of("ebb_redshift_guide"));
    assert!(!findings(&source).await.contains("S1"));
    let (diff, _) = source.sync(1, "select * from sales.users").await.unwrap();
    assert_eq!(diff.changes.added, 1);
}

#[tokio::test]
async fn a_model_with_an_error_is_told_where() {
    let Some(double) = Double::start("redshift_bad_model").await else { return };
    let source = double.source();
    let sql = "select 1 as id,\n  nmae from (select 'ann' as name) u";
    let failure = source.0.preview(&model(sql), Wanted::First, 10).await.unwrap_err();
    insta::assert_snapshot!(told(&failure), @r#"
    S105: the server refused the SQL at line 2, column 3: column "nmae" does not exist (Perhaps you meant to reference the column "u.name".)
      Run the query in the warehouse's own client, correct it and preview the model
    "#);
    let failure = source
        .0
        .preview(&model("select json_parse('1') as id"), Wanted::First, 10)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&failure), @r"
    S110: the identifier column `id` has the type `super`, which cannot identify
      Choose a column of whole numbers, text, UUID, date or time, or cast it in the query
    ");
}

#[tokio::test]
async fn a_model_that_writes_is_stopped_by_the_server() {
    let Some(double) = Double::start("redshift_writes").await else { return };
    double
        .server
        .run(
            "create table log (line text);
             create function sly() returns int language sql as 'insert into log values (''x'') returning 1'",
        )
        .await;
    let failure = double
        .source()
        .0
        .preview(&model("select sly() as id"), Wanted::First, 10)
        .await
        .unwrap_err();
    assert_eq!(failure.code, Code::SourcePermission, "{failure}");
    assert_eq!(double.server.value("select count(*) from log").await, "0");
}

#[tokio::test]
async fn a_slow_statement_ends_at_its_time_out() {
    let Some(double) = Double::start("redshift_time_out").await else { return };
    let mut settings = double.settings();
    settings.insert("statement_timeout".to_owned(), "200ms".into());
    let slow = model("select 1 as id, pg_sleep(60) is null as slept");
    let failure = source(settings).0.preview(&slow, Wanted::First, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout, "{failure}");
}

#[tokio::test]
async fn as_many_columns_as_are_allowed_are_hashed() {
    let Some(double) = Double::start("redshift_many_columns").await else { return };
    let columns: Vec<_> = (1..512).map(|number| format!(", {number} as c{number}")).collect();
    let columns = columns.concat();
    let (diff, _) = double.source().sync(1, &format!("select 1 as id{columns}")).await.unwrap();
    assert_eq!(diff.changes.added, 1);
}

#[tokio::test]
async fn a_connection_cut_while_extracting_is_lost_and_the_next_attempt_works() {
    let Some(double) = Double::start("redshift_cut").await else { return };
    let source = double.source();
    let sql = "select i as id, repeat('x', 1000) as filler from generate_series(1, 60000) i";
    let job = source.job(1, sql).await.unwrap();
    source.0.diff(&job).await.unwrap();
    let mut changes = source.0.changes(&job, &Operation::ALL, None).await.unwrap();
    let first = changes.try_next().await.unwrap().unwrap().num_rows();
    double
        .server
        .run(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where application_name = 'ebb' and datname = current_database()",
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
    assert_eq!(first + rows, 60_000);
}
