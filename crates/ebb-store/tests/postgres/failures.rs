//! Servers that cannot be used, and what is told of them.

use ebb_core::{
    Code, Failure,
    port::{Status, Store},
};
use tempfile::TempDir;

use crate::{
    given::{id, sync},
    home::{self, Home, admin, cluster},
};

const PASSWORD: &str = "hunter2-of-the-server";

/// Opening by this URL fails, and nothing that is told of it shows the password.
fn refused(url: &str) -> Failure {
    let folder = tempfile::tempdir().unwrap();
    let failure = home::open(folder.path(), Some(url)).unwrap_err();
    let mut told = vec![format!("{failure} {failure:?} {}", failure.advice())];
    let mut cause = std::error::Error::source(&failure);
    while let Some(error) = cause {
        told.push(format!("{error} {error:?}"));
        cause = error.source();
    }
    assert!(!told.concat().contains(PASSWORD), "{told:?}");
    failure
}

/// The cluster's host and port.
fn place() -> Option<String> {
    let url = cluster()?;
    Some(url.split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned())
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_told_without_the_password() {
    let Some(place) = place() else { return };
    let closed = format!("postgres://ann:{PASSWORD}@127.0.0.1:1/shop");
    let failure = refused(&closed);
    assert_eq!(failure.code, Code::StateUnavailable);
    let told = failure.message();
    assert!(told.contains("`postgres://127.0.0.1:1/shop` cannot be reached"), "{told}");

    let failure = refused(&format!("postgres://postgres:{PASSWORD}@{place}/postgres"));
    assert_eq!(failure.code, Code::StateUnavailable);
    assert!(failure.message().contains("refused the password of user `postgres`"), "{failure}");

    let missing = format!("{}_is_missing", cluster().unwrap());
    let failure = refused(&missing);
    assert!(failure.message().contains("does not exist"), "{failure}");
    assert!(failure.advice().contains("Make the database"), "{}", failure.advice());
}

#[tokio::test]
async fn a_newer_version_is_refused_with_both_versions_and_left_alone() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    drop(home.open());
    let newer = format!("update {}.schema_version set number = 99", home.schema());
    admin.batch_execute(&newer).await.unwrap();
    let failure = home.try_open().unwrap_err();
    assert_eq!(failure.code, Code::StateNewer);
    assert!(failure.message().contains("has version `99`, this Ebb knows versions up to"));
}

#[tokio::test]
async fn a_user_that_may_not_make_a_schema_is_told_and_uses_one_that_is_its_own() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    let (schema, place) = (home.schema(), place().unwrap());
    let role = format!("create role {schema} login password '{PASSWORD}'");
    admin.batch_execute(&role).await.unwrap();
    let url = format!("postgres://{schema}:{PASSWORD}@{place}/postgres?search_path={schema}");
    let failure = refused(&url);
    assert!(failure.message().contains("permission denied for database"), "{failure}");
    let own = format!("create schema {schema} authorization {schema}");
    admin.batch_execute(&own).await.unwrap();
    let database = home::open(home.state(), Some(&url)).unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    drop(database);
    let gone = format!("drop schema {schema} cascade; drop role {schema}");
    admin.batch_execute(&gone).await.unwrap();
}

#[tokio::test]
async fn certificates_are_judged_as_the_url_asks() {
    let Some(home) = Home::on_postgres() else { return };
    let (admin, _connection) = admin().await;
    let url = home.url().unwrap();
    let failure = refused(&format!("{url}&sslmode=verify-full"));
    assert_eq!(failure.code, Code::StateUnavailable);
    assert!(failure.message().contains("not trusted"), "{failure}");

    let authority = admin.query_one("select pg_read_file('ca.crt')", &[]).await.unwrap();
    let folder: TempDir = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.crt");
    std::fs::write(&file, authority.get::<_, String>(0)).unwrap();
    let url = format!("{url}&sslmode=verify-full&sslrootcert={}", file.display());
    let database = home::open(home.state(), Some(&url)).unwrap();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    assert_eq!(database.sync(id(1)).await.unwrap().id, id(1));
    let query = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid)
                 where application_name = $1 and ssl";
    let encrypted = admin.query_one(query, &[&home.schema()]).await.unwrap();
    assert_eq!(encrypted.get::<_, i64>(0), 2);
}

#[tokio::test]
async fn schemas_are_control_databases_of_their_own() {
    let Some(home) = Home::on_postgres() else { return };
    let other = home.another();
    let (one, two) = (home.open(), other.open());
    one.save(&sync(1, Status::Loading)).await.unwrap();
    assert_eq!(two.sync(id(1)).await.unwrap_err().code, Code::SyncNotFound);
    let _lock = one.lock("m").await.unwrap();
    two.lock("m").await.unwrap();
}
