//! What a diff finds.

use ebb_core::{Operation, Tally};

use crate::{assert_lines, bench::Bench, engine::Engine};

pub(super) async fn a_first_sync_adds_every_record<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null)").await;
    assert_eq!(bench.warehouse.tracked("users-to_hook").await, Ok(None));
    let extracted = bench.extract().await;
    assert!(extracted.diff.first);
    assert!(!extracted.diff.empty);
    assert_eq!(extracted.diff.changes, Tally { added: 2, updated: 0, deleted: 0 });
    assert_lines!(
        extracted.lines(),
        [
            r#"added 1 {"id":1,"name":"Ada","city":"London"}"#,
            r#"added 2 {"id":2,"name":"Bo","city":null}"#,
        ]
    );
    bench.commit(&extracted.commit()).await;
    let tracked = bench.tracked().await;
    assert_eq!(tracked.records, 2);
    assert_eq!(tracked.sync, Some(extracted.job.sync));
    assert_eq!(tracked.recipe, bench.warehouse.recipe(&extracted.job));
}

pub(super) async fn nothing_changed_finds_nothing<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null)").await;
    bench.sync().await;
    let extracted = bench.extract().await;
    assert_lines!(extracted.lines(), []);
    assert!(!extracted.diff.first);
    assert!(!extracted.diff.empty);
    assert_eq!(extracted.diff.tracked, 2);
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, 2);
    assert_eq!(bench.tracked().await.sync, Some(extracted.job.sync));
}

pub(super) async fn changes_are_found_exactly<E: Engine>(engine: E) {
    let rows = "(1, 'Ada', 'London'), (2, 'Bo', null), (3, 'Cy', 'Rome'), (4, 'Di', 'Oslo')";
    let mut bench = Bench::users(engine, rows).await;
    bench.sync().await;
    bench
        .run(
            "update users set city = 'Paris' where id = 2; delete from users where id = 3; \
              insert into users values (5, 'Ed', 'Bonn')",
        )
        .await;
    assert_lines!(
        bench.sync().await,
        [
            r#"updated 2 {"id":2,"name":"Bo","city":"Paris"}"#,
            r#"deleted 3 {"id":null,"name":null,"city":null}"#,
            r#"added 5 {"id":5,"name":"Ed","city":"Bonn"}"#,
        ]
    );
    assert_eq!(bench.tracked().await.records, 4);
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn an_empty_model_says_so<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "").await;
    let extracted = bench.extract().await;
    assert!(extracted.diff.first && extracted.diff.empty);
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, 0);
    bench.run("insert into users values (1, 'Ada', 'London'), (2, 'Bo', null)").await;
    let extracted = bench.extract().await;
    assert!(!extracted.diff.first && !extracted.diff.empty);
    bench.commit(&extracted.commit()).await;
    bench.run("delete from users").await;
    let extracted = bench.extract().await;
    assert!(extracted.diff.empty);
    assert_eq!(extracted.diff.changes, Tally { added: 0, updated: 0, deleted: 2 });
}

pub(super) async fn a_value_that_moves_to_the_next_column_is_a_change<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'a', null), (2, 'ab', 'c')").await;
    bench.sync().await;
    bench
        .run(
            "update users set name = null, city = 'a' where id = 1; \
              update users set name = 'a', city = 'bc' where id = 2",
        )
        .await;
    assert_lines!(
        bench.sync().await,
        [
            r#"updated 1 {"id":1,"name":null,"city":"a"}"#,
            r#"updated 2 {"id":2,"name":"a","city":"bc"}"#,
        ]
    );
}

pub(super) async fn null_and_empty_text_differ<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, '', null)").await;
    bench.sync().await;
    bench.run("update users set name = null, city = ''").await;
    assert_lines!(bench.sync().await, [r#"updated 1 {"id":1,"name":null,"city":""}"#]);
}

pub(super) async fn what_exceeds_the_limit_follows_in_the_next_sync<E: Engine>(engine: E) {
    let rows = "(1, 'Ada', ''), (2, 'Bo', ''), (3, 'Cy', ''), (4, 'Di', ''), (5, 'Ed', '')";
    let mut bench = Bench::users(engine, rows).await;
    bench.limit = 2;
    for expected in [2, 2, 1, 0] {
        assert_eq!(bench.sync().await.len(), expected);
    }
    bench.run("update users set city = 'Bonn'; delete from users where id > 3").await;
    let mut operations = Vec::new();
    for expected in [2, 2, 1, 0] {
        let lines = bench.sync().await;
        assert_eq!(lines.len(), expected);
        operations
            .extend(lines.iter().filter_map(|line| line.split(' ').next().map(str::to_owned)));
    }
    operations.sort();
    assert_eq!(operations, ["deleted", "deleted", "updated", "updated", "updated"]);
}

pub(super) async fn only_what_is_asked_for_is_streamed<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', ''), (2, 'Bo', ''), (3, 'Cy', '')").await;
    bench.sync().await;
    bench
        .run(
            "update users set city = 'Bonn' where id < 3; delete from users where id = 3; \
              insert into users values (4, 'Di', '')",
        )
        .await;
    let extracted = bench.extract().await;
    let job = &extracted.job;
    let ids = |changes: &[crate::bench::Change]| {
        let mut ids: Vec<_> = changes.iter().map(|change| change.record_id.clone()).collect();
        ids.sort();
        ids
    };
    let updated = bench.changes(job, &[Operation::Updated], None).await;
    assert_eq!(ids(&updated), ["1", "2"]);
    let after = bench.changes(job, &[Operation::Updated], Some(updated[0].seq)).await;
    assert_eq!(after, updated[1..]);
    let others = bench.changes(job, &[Operation::Added, Operation::Deleted], None).await;
    assert_eq!(ids(&others), ["3", "4"]);
    assert_eq!(bench.changes(job, &[], None).await, []);
}

pub(super) async fn a_diff_that_was_interrupted_is_replaced<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let job = bench.job().await;
    assert_eq!(bench.warehouse.has_changes(&job).await, Ok(false));
    bench.warehouse.diff(&job).await.unwrap();
    assert_eq!(bench.warehouse.has_changes(&job).await, Ok(true));
    bench.run("insert into users values (2, 'Bo', null)").await;
    let again = bench.warehouse.diff(&job).await.unwrap();
    assert_eq!(again.changes.added, 2);
    assert_eq!(bench.changes(&job, &Operation::ALL, None).await.len(), 2);
    bench.warehouse.finish(&job).await.unwrap();
    bench.warehouse.finish(&job).await.unwrap();
}

pub(super) async fn many_records_are_streamed_in_order<E: Engine>(engine: E) {
    const RECORDS: u64 = 50_000;
    let sql = format!("select id, 'user' as name from ({}) n", engine.numbers(RECORDS));
    let mut bench = Bench::new(engine, &sql);
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len() as u64, RECORDS);
    let seqs: std::collections::BTreeSet<_> = extracted.changes.iter().map(|one| one.seq).collect();
    assert_eq!(seqs.len() as u64, RECORDS);
    // A stream that is let go stops its query; the session is free again.
    let stream = bench.warehouse.changes(&extracted.job, &Operation::ALL, None).await.unwrap();
    drop(stream);
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, RECORDS);
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn a_record_that_comes_back_is_added<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    bench.run("delete from users").await;
    assert_lines!(bench.sync().await, [r#"deleted 1 {"id":null,"name":null,"city":null}"#]);
    bench.run("insert into users values (1, 'Ada', 'London')").await;
    assert_lines!(bench.sync().await, [r#"added 1 {"id":1,"name":"Ada","city":"London"}"#]);
}

pub(super) async fn message_ids_repeat_for_the_same_content<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    let first = bench.extract().await;
    let second = bench.extract().await;
    assert_eq!(first.changes[0].message_id, second.changes[0].message_id);
    bench.run("update users set city = 'Paris'").await;
    let third = bench.extract().await;
    assert_ne!(first.changes[0].message_id, third.changes[0].message_id);
    // Two deletes of one record differ if what was deleted does.
    let mut deletes = Vec::new();
    for city in ["Rome", "Oslo", "Oslo"] {
        bench
            .run(&format!("delete from users; insert into users values (1, 'Ada', '{city}')"))
            .await;
        bench.sync().await;
        bench.run("delete from users").await;
        let extracted = bench.extract().await;
        deletes.push(extracted.changes[0].message_id.clone());
        bench.commit(&extracted.commit()).await;
    }
    assert_ne!(deletes[0], deletes[1]);
    assert_eq!(deletes[1], deletes[2]);
}
