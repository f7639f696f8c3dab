//! Rows that cannot be identified are put aside and never make a tracked record look deleted.

use ebb_core::{Tally, port::Discarded};

use crate::{assert_lines, bench::Bench, engine::Engine};

fn duplicates(added: u64, updated: u64, ids: &[&str]) -> Discarded {
    Discarded {
        null: 0,
        duplicates: Tally { added, updated, deleted: 0 },
        duplicate_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

pub(super) async fn new_duplicates_are_put_aside<E: Engine>(engine: E) {
    let mut bench =
        Bench::users(engine, "(1, 'Ada', ''), (2, 'Bo', ''), (2, 'Bo', ''), (1, 'Eve', '')").await;
    bench.run("insert into users values (3, 'Cy', '')").await;
    let first = bench.extract().await;
    assert_lines!(first.lines(), [r#"added 3 {"id":3,"name":"Cy","city":""}"#]);
    assert_eq!(first.diff.discarded, duplicates(4, 0, &["1", "2"]));
    bench.commit(&first.commit()).await;
    assert_eq!(bench.tracked().await.records, 1);
    // The same among tracked records.
    bench.run("insert into users values (4, 'Di', '')").await;
    let next = bench.extract().await;
    assert_lines!(next.lines(), [r#"added 4 {"id":4,"name":"Di","city":""}"#]);
    assert_eq!(next.diff.discarded, duplicates(4, 0, &["1", "2"]));
    bench.commit(&next.commit()).await;
    bench.run("delete from users where name = 'Eve'").await;
    assert_lines!(bench.sync().await, [r#"added 1 {"id":1,"name":"Ada","city":""}"#]);
}

pub(super) async fn the_twin_of_an_unchanged_record_is_put_aside<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', ''), (2, 'Bo', '')").await;
    bench.sync().await;
    bench.run("insert into users values (1, 'Eve', ''), (3, 'Cy', '')").await;
    let extracted = bench.extract().await;
    assert_lines!(extracted.lines(), [r#"added 3 {"id":3,"name":"Cy","city":""}"#]);
    assert_eq!(extracted.diff.discarded, duplicates(0, 1, &["1"]));
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, 3);
    // The tracked state stayed: without the twin nothing has changed.
    bench.run("delete from users where name = 'Eve'").await;
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn two_changed_twins_of_a_tracked_record_are_put_aside<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', ''), (2, 'Bo', '')").await;
    bench.sync().await;
    // Of record 1 the tracked row is gone, of record 2 it is there beside two others.
    bench
        .run(
            "delete from users where id = 1; insert into users values \
              (1, 'Eve', ''), (1, 'Ida', ''), (2, 'Kim', ''), (2, 'Lou', '')",
        )
        .await;
    let extracted = bench.extract().await;
    assert_lines!(extracted.lines(), []);
    assert_eq!(extracted.diff.discarded, duplicates(0, 4, &["1", "2"]));
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, 2);
}

pub(super) async fn an_identifier_that_is_unique_again_is_compared_with_what_was_tracked<
    E: Engine,
>(
    engine: E,
) {
    let mut bench = Bench::users(engine, "(1, 'Ada', '')").await;
    bench.sync().await;
    bench.run("update users set name = 'Eve'; insert into users values (1, 'Ida', '')").await;
    assert_lines!(bench.sync().await, []);
    bench.run("delete from users where name = 'Ida'").await;
    assert_lines!(bench.sync().await, [r#"updated 1 {"id":1,"name":"Eve","city":""}"#]);
}

pub(super) async fn rows_without_identifier_are_put_aside<E: Engine>(engine: E) {
    let mut bench =
        Bench::users(engine, "(1, 'Ada', ''), (null, 'No', ''), (null, 'Nil', '')").await;
    let first = bench.extract().await;
    assert_lines!(first.lines(), [r#"added 1 {"id":1,"name":"Ada","city":""}"#]);
    assert_eq!(first.diff.discarded, Discarded { null: 2, ..Discarded::default() });
    bench.commit(&first.commit()).await;
    bench.run("insert into users values (2, 'Bo', '')").await;
    let next = bench.extract().await;
    assert_lines!(next.lines(), [r#"added 2 {"id":2,"name":"Bo","city":""}"#]);
    assert_eq!(next.diff.discarded.null, 2);
    bench.commit(&next.commit()).await;
    assert_eq!(bench.tracked().await.records, 2);
}

pub(super) async fn a_record_that_loses_its_identifier_does_not_look_deleted<E: Engine>(engine: E) {
    let rows = "(1, 'Ada', ''), (2, 'Bo', ''), (3, 'Cy', ''), (null, 'No', '')";
    let mut bench = Bench::users(engine, rows).await;
    bench.sync().await;
    bench.run("delete from users where id = 1").await;
    assert_lines!(bench.sync().await, [r#"deleted 1 {"id":null,"name":null,"city":null}"#]);
    bench.run("update users set id = null where name = 'Bo'").await;
    for _ in 0..2 {
        let withheld = bench.extract().await;
        assert_lines!(withheld.lines(), []);
        assert_eq!((withheld.diff.withheld, withheld.diff.discarded.null), (1, 2));
        bench.commit(&withheld.commit()).await;
        assert_eq!(bench.tracked().await.records, 2, "it stays tracked, sync after sync");
    }
    bench.run("update users set id = 2 where name = 'Bo'").await;
    assert_lines!(bench.sync().await, []);
    bench.run("update users set id = null where name = 'Bo'").await;
    bench.trust_deletes = true;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":null,"name":null,"city":null}"#]);
    bench.trust_deletes = false;
    bench.run("delete from users where id = 3").await;
    assert_eq!(
        bench.extract().await.diff.changes.deleted,
        1,
        "what was approved is the new measure"
    );
}

pub(super) async fn duplicates_do_not_fill_the_limit<E: Engine>(engine: E) {
    let rows =
        "(1, 'a', ''), (1, 'b', ''), (2, 'a', ''), (2, 'b', ''), (null, '', ''), (3, 'Cy', '')";
    let mut bench = Bench::users(engine, rows).await;
    bench.limit = 2;
    let first = bench.extract().await;
    assert_lines!(first.lines(), [r#"added 3 {"id":3,"name":"Cy","city":""}"#]);
    bench.commit(&first.commit()).await;
    bench.run("insert into users values (4, 'Di', ''), (3, 'twin', '')").await;
    let next = bench.extract().await;
    assert_lines!(next.lines(), [r#"added 4 {"id":4,"name":"Di","city":""}"#]);
}
