//! A commit that stops between any two of its statements, and what a process leaves at work that died.

use ebb_core::port::Commit;
use serde_json::json;

use crate::{assert_lines, bench::Bench, engine::ClickHouse};

#[tokio::test]
async fn a_commit_killed_between_two_statements_changes_nothing_and_can_be_repeated() {
    let Some(engine) = ClickHouse::start().await else { return };
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
        let stopped = json!({ "code": 236, "name": "ABORTED", "message": "stopped" });
        bench.engine.double().fault(json!({ "sql": statement, "error": stopped })).await;
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
    let left = double.run(&format!("show tables from \"{}\"", double.managed())).await;
    let left: Vec<_> = left.into_iter().flatten().flatten().collect();
    assert_eq!(
        left,
        ["checkpoints", "rebuild", "records"].map(|name| format!("{name}_users-to_hook"))
    );
}

#[tokio::test]
async fn what_a_dead_process_left_at_work_does_not_come_after_what_is_written_next() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    let double = bench.engine.double();
    double.fault(json!({ "sql": "^create or replace .*changes_", "delay_s": 600 })).await;
    let other = bench.engine.double().source(&double.settings());
    let mut diff = Box::pin(other.diff(&job));
    tokio::select! {
        diff = &mut diff => panic!("{diff:?}"),
        () = double.until_taken("create or replace") => {}
    }
    // The first process still waits: nobody but the second one ends its statement.
    assert_eq!(bench.warehouse.diff(&job).await.unwrap().changes.added, 1);
    double.until_canceled("create or replace").await;
    assert_eq!(diff.await.unwrap_err().code, ebb_core::Code::Canceled);
    assert!(bench.warehouse.has_changes(&job).await.unwrap());
}

#[tokio::test]
async fn kept_values_that_are_nested_come_back_with_the_delete() {
    let Some(engine) = ClickHouse::start().await else { return };
    let all =
        "select id, [1, id] as list, (1.5, id)::Point as place, map('k', 'v') as pairs from users";
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.query(&all.replace("id)::", "2)::").replace(", id]", ", 2]"));
    bench.keep_deleted_values = true;
    bench.sync().await;
    bench.run("delete from users").await;
    let expected = r#"deleted 1 {"id":1,"list":[1,2],"place":"POINT(1.5 2)","pairs":{"k":"v"}}"#;
    assert_lines!(bench.sync().await, [expected]);
}
