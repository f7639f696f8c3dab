//! A commit that stops between any two of its statements.

use ebb_core::port::Commit;
use serde_json::json;

use crate::{assert_lines, bench::Bench, engine::Databricks};

#[tokio::test]
async fn a_commit_killed_between_two_statements_changes_nothing_and_can_be_repeated() {
    let Some(engine) = Databricks::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', '')").await;
    bench.sync().await;
    // Values are kept from now on, so the records change their shape too.
    bench.keep_deleted_values = true;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let extracted = bench.extract().await;
    let before = bench.tracked().await;
    let commit = Commit { seqs: extracted.seqs(&["2"]), ..extracted.commit() };
    for statement in [
        "^create or replace .*seqs_",
        "^insert into .*seqs_",
        "^select count.*from .*changes_.* c left join",
        "^create or replace .*rebuild_",
        "^create or replace .*checkpoints_",
    ] {
        let refused = json!({ "error_code": "ABORTED", "message": "stopped" });
        bench.engine.double().fault(json!({ "sql": statement, "error": refused })).await;
        bench.warehouse.commit(&commit).await.unwrap_err();
        assert_eq!(bench.tracked().await, before);
        let again = bench.extract().await;
        assert_eq!(again.diff.changes, extracted.diff.changes, "at {statement}");
        bench.warehouse.finish(&again.job).await.unwrap();
    }
    for _ in 0..3 {
        bench.warehouse.commit(&commit).await.unwrap();
        assert_eq!(bench.tracked().await.records, 2);
    }
    bench.commit(&commit).await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":null,"name":null,"city":null}"#]);
    bench.run("delete from users").await;
    assert_lines!(bench.sync().await, [r#"deleted 1 {"id":1,"name":"Ada","city":"Bonn"}"#]);
    let double = bench.engine.double();
    let left = double.run(&format!("show tables in `{}`", double.managed())).await;
    let left: Vec<_> = left.into_iter().filter_map(|row| row.into_iter().nth(1)?).collect();
    // The double cannot write the dash of the mapping's name.
    let kept =
        ["checkpoints", "rebuild", "records"].map(|name| format!("{name}_users_x2d_to_hook"));
    assert_eq!(left, kept);
}

#[tokio::test]
async fn a_sync_without_changes_leaves_the_tracked_records_where_they_are() {
    let Some(engine) = Databricks::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    let written = |log: Vec<serde_json::Value>| {
        let is = |sql: &str| {
            sql.starts_with("create or replace") && sql.contains("record_id, c.checksum")
        };
        log.iter().filter(|entry| entry["statement"].as_str().is_some_and(is)).count()
    };
    assert_eq!(written(bench.engine.double().log().await), 1);
    bench.sync().await;
    assert_eq!(written(bench.engine.double().log().await), 1);
    assert_eq!(bench.tracked().await.records, 1);
    // A table that somebody dropped means that nothing is tracked.
    let managed = bench.engine.double().managed();
    bench.run(&format!("drop table `{managed}`.records_users_x2d_to_hook")).await;
    assert_eq!(bench.warehouse.tracked("users-to_hook").await, Ok(None));
}
