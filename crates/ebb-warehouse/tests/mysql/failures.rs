//! What a user does wrong, and what goes wrong: each with its code, sentence and remedy.

use std::time::Duration;

use ebb_core::{
    Code, Failure, Operation,
    port::{Wanted, Warehouse},
};
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};

use super::server::{Server, model};
use crate::{assert_lines, bench::Bench, control::unique, engine::Mysql};

/// A failure as people read it.
fn told(failure: &Failure) -> String {
    format!("{failure}\n  {}", failure.advice())
}

async fn findings(warehouse: &dyn Warehouse) -> String {
    let findings = warehouse.check().await;
    let lines = findings.iter().map(|finding| match &finding.failure {
        Some(failure) => format!("{}: {}", finding.step, told(failure)),
        None => format!("{}: fine", finding.step),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn with(mut settings: Map<String, Value>, more: Value) -> Map<String, Value> {
    let Value::Object(more) = more else { panic!("settings are an object") };
    settings.extend(more);
    settings
}

async fn connected(server: &Server, more: Value) -> Result<(), Failure> {
    let source = server.source(with(server.settings(), more));
    source.check().await.into_iter().find_map(|finding| finding.failure).map_or(Ok(()), Err)
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let Some(server) = Server::start("wrong_password").await else { return };
    for user in ["root", "nobody"] {
        let failure =
            connected(&server, json!({ "user": user, "password": "hunter2" })).await.unwrap_err();
        assert_eq!(failure.code, Code::SourceAuth);
        let expected = format!("the server refused the password of user `{user}`");
        assert_eq!(failure.message(), expected);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let Some(server) = Server::start("not_there").await else { return };
    for (host, port) in
        [("127.0.0.1", 1), ("no-such-host.invalid", 3306), ("/no/such/server.sock", 3306)]
    {
        let failure = connected(&server, json!({ "host": host, "port": port })).await.unwrap_err();
        assert_eq!(failure.code, Code::SourceUnreachable, "{failure}");
        assert!(failure.message().contains(host), "{failure}");
    }
    let failure = connected(&server, json!({ "database": "nowhere" })).await.unwrap_err();
    insta::assert_snapshot!(told(&failure), @r"
    S101: the server at `127.0.0.1` has no database `nowhere`
      Correct `database` in the source's settings
    ");
}

#[tokio::test]
async fn certificates_are_judged_unless_the_mode_says_otherwise() {
    let Some(server) = Server::start("certificates").await else { return };
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stranger.pem");
    std::fs::write(&path, stranger.cert.pem()).unwrap();
    let root = server.root();
    let certificates =
        [("right", json!(root)), ("stranger's", json!(path)), ("system's", json!(""))];
    let mut lines = Vec::new();
    for mode in ["disable", "require", "verify-ca", "verify-full"] {
        for (whose, file) in &certificates {
            let outcome = connected(&server, json!({ "sslmode": mode, "sslrootcert": file })).await;
            let outcome = outcome.err().map_or_else(|| "fine".to_owned(), |one| one.to_string());
            lines.push(format!("{mode}, {whose} authority: {outcome}"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    disable, right authority: fine
    disable, stranger's authority: fine
    disable, system's authority: fine
    require, right authority: fine
    require, stranger's authority: S104: the certificate of `127.0.0.1` comes from an authority that is not trusted
    require, system's authority: fine
    verify-ca, right authority: fine
    verify-ca, stranger's authority: S104: the certificate of `127.0.0.1` comes from an authority that is not trusted
    verify-ca, system's authority: S104: the certificate of `127.0.0.1` comes from an authority that is not trusted
    verify-full, right authority: fine
    verify-full, stranger's authority: S104: the certificate of `127.0.0.1` comes from an authority that is not trusted
    verify-full, system's authority: S104: the certificate of `127.0.0.1` comes from an authority that is not trusted
    ");
    server.user("ebb_tls_only", "require ssl").await;
    let user = json!({ "user": "ebb_tls_only", "password": "secret", "sslmode": "disable" });
    assert_eq!(connected(&server, user).await.unwrap_err().code, Code::SourceAuth);
}

#[tokio::test]
async fn a_unix_socket_is_reached_by_its_path() {
    let Some(server) = Server::start("socket").await else { return };
    let socket = server.value("select @@socket").await;
    connected(&server, json!({ "host": socket })).await.unwrap();
}

#[tokio::test]
async fn without_a_right_the_exact_grant_is_told() {
    let Some(server) = Server::start("rights").await else { return };
    server.run("create table orders (id int); create table items (id int)").await;
    server.user("ebb_rights", "").await;
    let settings = with(server.settings(), json!({ "user": "ebb_rights", "password": "secret" }));
    let source = server.source(settings.clone());
    insta::assert_snapshot!(findings(&*source).await, @r"
    reach: fine
    sign in: S103: user `ebb_rights` lacks a permission: Access denied for user 'ebb_rights'@'%' to database 'ebb_rights'
      Let an administrator run: grant select on `ebb_rights`.* to 'ebb_rights'@'%'
    ");
    server.run("grant select on ebb_rights.orders to ebb_rights").await;
    insta::assert_snapshot!(findings(&*source).await, @r"
    reach: fine
    sign in: fine
    read: fine
    create schema: S103: user `ebb_rights` lacks a permission: Access denied for user 'ebb_rights'@'%' to database 'ebb_rights_managed'
      Let an administrator run: create database if not exists `ebb_rights_managed`; grant select, insert, update, delete, create, create temporary tables, drop, alter on `ebb\_rights\_managed`.* to 'ebb_rights'@'%'
    ");
    let failure =
        source.preview(&model("select * from items"), Wanted::First, 10).await.unwrap_err();
    insta::assert_snapshot!(told(&failure), @r"
    S103: user `ebb_rights` lacks a permission: SELECT command denied to user 'ebb_rights'@'127.0.0.1' for table `ebb_rights`.`items`
      Let an administrator run: grant select on `ebb_rights`.`items` to 'ebb_rights'@'%'
    ");
    server.run("create database ebb_rights_managed").await;
    server.run("grant select on ebb_rights_managed.* to ebb_rights").await;
    insta::assert_snapshot!(findings(&*source).await, @r"
    reach: fine
    sign in: fine
    read: fine
    create schema: fine
    write: S103: user `ebb_rights` lacks a permission: DROP command denied to user 'ebb_rights'@'127.0.0.1' for table `ebb_rights_managed`.`ebb_check`
      Let an administrator run: create database if not exists `ebb_rights_managed`; grant select, insert, update, delete, create, create temporary tables, drop, alter on `ebb\_rights\_managed`.* to 'ebb_rights'@'%'
    ");
}

/// The SQL that `ebb source setup` prints, with the names of the test.
fn setup(server: &Server, user: &str) -> String {
    let names = [
        ("user", user),
        ("password", "secret"),
        ("reads", &server.database),
        ("schema", &server.managed),
    ];
    let names = names.map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
    ebb_warehouse::setup("mysql", &names.into()).unwrap().unwrap()
}

#[tokio::test]
async fn the_guides_user_has_the_rights_of_a_sync_and_no_others() {
    let Some(engine) = Mysql::start().await else { return };
    let server = engine.server();
    let user = format!("ebb_guide_{}", unique());
    server.run(&format!("drop user if exists '{user}'; {}", setup(server, &user))).await;
    let settings = with(server.settings(), json!({ "user": user.as_str(), "password": "secret" }));
    let source = server.source(settings);
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null)").await;
    bench.warehouse = source;
    let all_is_fine =
        "reach: fine\nsign in: fine\nread: fine\ncreate schema: fine\nwrite: fine\ndrop: fine";
    assert_eq!(findings(&*bench.warehouse).await, all_is_fine);
    let first = bench.extract().await;
    bench.commit(&ebb_core::port::Commit { seqs: first.seqs(&["2"]), ..first.commit() }).await;
    assert_eq!(bench.tracked().await.records, 1);
    assert_eq!(bench.sync().await.len(), 1);
    bench.keep_deleted_values = true;
    bench.query("select id, name from users");
    assert_eq!(bench.sync().await.len(), 2);
    let job = bench.job().await;
    bench.warehouse.rebase(&job).await.unwrap();
    bench.warehouse.reset("users-to_hook").await.unwrap();
}

#[tokio::test]
async fn a_model_with_an_error_is_told() {
    let Some(server) = Server::start("bad_model").await else { return };
    let source = server.source(server.settings());
    let mut all = Vec::new();
    for sql in [
        "select 1 as id,\n  nmae from (select 'ann' as name) u",
        "select 1 as id from nowhere",
        "select id from (select 1 as id) where",
        "select \"text\" as id",
        "select 1 as id where 1 = ?",
        "select 1 as id where 1 = :one",
    ] {
        let failure = source.columns(&model(sql)).await.unwrap_err();
        // Older servers have another word for it.
        all.push(told(&failure).replace("'field list'", "'SELECT'"));
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    S105: the server refused the SQL: Unknown column 'nmae' in 'SELECT'
      Correct the name; a text stands in single quotes, double quotes enclose names
    S105: the server refused the SQL: Table 'ebb_bad_model.nowhere' doesn't exist
      Run the query in the warehouse's own client, correct it and preview the model
    S105: the server refused the SQL: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'where' at line 1
      Run the query in the warehouse's own client, correct it and preview the model
    S105: the server refused the SQL: Unknown column 'text' in 'SELECT'
      Correct the name; a text stands in single quotes, double quotes enclose names
    S105: the model holds a placeholder, `?` or `:name`
      Write the value itself
    S105: the model holds a placeholder, `?` or `:name`
      Write the value itself
    ");
}

#[tokio::test]
async fn a_model_cannot_write() {
    let Some(server) = Server::start("no_write").await else { return };
    server
        .run(
            "create table log (id int); \
             create function noting() returns int begin insert into log values (1); return 1; end",
        )
        .await;
    let source = server.source(server.settings());
    let failure =
        source.preview(&model("select noting() as id"), Wanted::First, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::SourcePermission, "{failure}");
    assert_eq!(server.value("select count(*) from log").await, "0");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_at_the_server() {
    let Some(server) = Server::start("too_long").await else { return };
    let source = server.source(with(server.settings(), json!({ "statement_timeout": 1 })));
    let sql = "select sleep(30) as id, 'too long' as marker";
    let failure = source.preview(&model(sql), Wanted::First, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout, "{failure}");
    insta::assert_snapshot!(failure.message(), @"a statement took longer than 1 s");
    server.until_idle().await;
}

#[tokio::test]
async fn a_sync_that_is_given_up_ends_at_the_server() {
    let Some(server) = Server::start("given_up").await else { return };
    let source = server.source(server.settings());
    let job = super::server::job(&*source, 1, "select sleep(60) as id").await;
    let diff = source.diff(&job);
    assert!(tokio::time::timeout(Duration::from_millis(500), diff).await.is_err());
    server.until_idle().await;
}

#[tokio::test]
async fn a_stream_that_is_given_up_ends_at_the_server() {
    let Some(server) = Server::start("stream_given_up").await else { return };
    let source = server.source(server.settings());
    let sql = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 60000) \
               select id, repeat('x', 2000) as body from n";
    let job = super::server::job(&*source, 1, sql).await;
    source.diff(&job).await.unwrap();
    let mut stream = source.changes(&job, &Operation::ALL, None).await.unwrap();
    assert!(stream.try_next().await.unwrap().unwrap().num_rows() > 0);
    drop(stream);
    server.until_idle().await;
}

#[tokio::test]
async fn a_connection_that_is_cut_in_a_stream_is_told() {
    let Some(server) = Server::start("cut").await else { return };
    let source = server.source(server.settings());
    let sql = "with recursive n (id) as (select 1 union all select id + 1 from n where id < 60000) \
               select id, repeat('x', 2000) as body from n";
    let job = super::server::job(&*source, 1, sql).await;
    source.diff(&job).await.unwrap();
    let mut stream = source.changes(&job, &Operation::ALL, None).await.unwrap();
    stream.try_next().await.unwrap();
    let session = server.value(&format!("select id from {}", server.sessions())).await;
    server.run(&format!("kill {session}")).await;
    let failure = stream.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(failure.code, Code::SourceLost, "{failure}");
    // The changes are still there.
    let again: Vec<_> =
        source.changes(&job, &Operation::ALL, None).await.unwrap().try_collect().await.unwrap();
    assert_eq!(again.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), 60_000);
}

#[tokio::test]
async fn a_commit_that_fails_half_way_leaves_everything_as_it_was() {
    let Some(engine) = Mysql::start().await else { return };
    let settings = with(engine.server().settings(), json!({ "lock_timeout": 1 }));
    let impatient = engine.server().source(settings);
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null)").await;
    bench.sync().await;
    bench.run("update users set city = 'Rome'").await;
    let extracted = bench.extract().await;
    let managed = bench.engine.server().managed.clone();
    // Reading the checkpoint is possible, writing it is not: by then the records were written.
    let held = bench
        .engine
        .server()
        .holding(&format!("lock tables {managed}.\"checkpoints_users-to_hook\" read"))
        .await;
    let failure = impatient.commit(&extracted.commit()).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout, "{failure}");
    drop(held);
    let again = bench.extract().await;
    assert_eq!(again.lines(), extracted.lines(), "nothing was taken over");
    bench.commit(&again.commit()).await;
    assert_lines!(bench.sync().await, []);
}
