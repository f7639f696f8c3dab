//! SQLite's values, whatever their columns were declared as, and its files.

use ebb_core::{
    Code, Limits, SyncId,
    config::MANAGED_SCHEMA,
    port::{DiffJob, ModelQuery, Wanted},
};
use serde_json::json;

use super::told;
use crate::{
    bench::Bench,
    engine::{Engine, Sqlite},
};

#[tokio::test]
async fn every_value_arrives_as_what_it_is() {
    let engine = Sqlite::start().await.unwrap();
    engine
        .run(
            "create table everything (id integer primary key, whole bigint, number real, exact decimal(10, 2), \
             body text, bytes blob, yes boolean, document json, anything); \
             insert into everything values \
             (1, 9223372036854775807, 0.1, 12.5, 'it''s', x'00ff', 1, '{\"a\": [1, null]}', 1), \
             (2, -9223372036854775808, 9e999, '12.50', '', x'', 0, '[1]', '1'), \
             (3, 'text', 1e300, null, char(0) || 'é😀', null, 'maybe', 'not json', 1.0), \
             (4, null, -9e999, 3, cast(x'ff41' as text), 'text', 2, null, null)",
        )
        .await;
    let mut bench = Bench::new(engine, "select *, id + 1 as more from everything");
    insta::assert_snapshot!(told(&mut bench, 2).await);
}

#[tokio::test]
async fn identifiers_of_every_type_are_told_apart_by_their_text() {
    let engine = Sqlite::start().await.unwrap();
    engine
        .run(
            "create table things (id, name); insert into things values \
             (1, 'one'), ('a', 'text'), ('007', 'padded'), (7, 'seven'), (1.5, 'real'), (x'00ff', 'bytes')",
        )
        .await;
    let mut bench = Bench::new(engine, "select id, name from things");
    let mut ids: Vec<_> =
        bench.extract().await.changes.into_iter().map(|change| change.record_id).collect();
    ids.sort();
    assert_eq!(ids, ["007", "00ff", "1", "1.5", "7", "a"]);
    // The same text is the same identifier.
    bench.run("insert into things values ('7', 'seven as text')").await;
    let extracted = bench.extract().await;
    assert_eq!(extracted.diff.discarded.duplicates.added, 2);
    assert_eq!(extracted.diff.discarded.duplicate_ids, ["7"]);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let connect = |name: &str| {
        let settings = json!({ "path": folder.path().join(name), "statement_timeout": "50ms" });
        let settings = settings.as_object().unwrap().clone().into();
        ebb_warehouse::connect("sqlite", &settings, MANAGED_SCHEMA, &Limits::default()).unwrap()
    };
    let model = |sql: &str| ModelQuery {
        sql: sql.to_owned(),
        id: "id".to_owned(),
        ..ModelQuery::default()
    };
    let failure = connect("nowhere.db").columns(&model("select 1 as id")).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceMissing);
    assert!(!folder.path().join("nowhere.db").exists(), "nothing is created");

    std::fs::write(
        folder.path().join("notes.txt"),
        "no database, but a text that is long enough to be one, \
        because a header alone has a hundred bytes and this is what is read first",
    )
    .unwrap();
    let findings = connect("notes.txt").check().await;
    let failure = findings.last().and_then(|finding| finding.failure.clone()).unwrap();
    assert_eq!((findings.len(), failure.code), (1, Code::SourceUnreachable), "{failure}");

    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    let endless = "with recursive n (id) as (select 1 union all select id + 1 from n) \
                   select max(id) as id from n";
    let warehouse = connect("empty.db");
    let failure = warehouse.preview(&model(endless), Wanted::First, 10).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout);
    let job = DiffJob {
        sync: SyncId::from_parts(1, 1),
        mapping: "endless".to_owned(),
        source: "shop".to_owned(),
        model_name: "endless".to_owned(),
        columns: warehouse.columns(&model(endless)).await.unwrap(),
        model: model(endless),
        generation: 0,
        keep_deleted_values: false,
        limit: 10,
        trust_deletes: false,
    };
    let failure = warehouse.diff(&job).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceTimeout);
}

#[tokio::test]
async fn the_source_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let source = rusqlite::Connection::open(&path).unwrap();
    // A program that writes with a write-ahead log keeps the file open meanwhile.
    source.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
    source
        .execute_batch("create table users (id, name); insert into users values (1, 'Ada')")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    let settings = json!({ "path": path }).as_object().unwrap().clone().into();
    let warehouse =
        ebb_warehouse::connect("sqlite", &settings, MANAGED_SCHEMA, &Limits::default()).unwrap();
    assert!(warehouse.check().await.iter().all(|finding| finding.failure.is_none()));
    let sql = "select id, name from main.users".to_owned();
    let model = ModelQuery { sql, id: "id".to_owned(), ..ModelQuery::default() };
    assert_eq!(warehouse.preview(&model, Wanted::First, 10).await.unwrap().rows.num_rows(), 1);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(folder.path().join(format!("shop.{MANAGED_SCHEMA}.db")).exists());
}
