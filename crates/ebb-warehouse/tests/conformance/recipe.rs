//! What checksums are made of, and what happens when that changes.

use ebb_core::port::Commit;

use crate::{assert_lines, bench::Bench, engine::Engine};

const ROWS: &str = "(1, 'Ada', 'London'), (2, 'Bo', 'Rome')";

pub(super) async fn an_added_column_changes_recipe_and_checksums<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    bench.query("select id, name, city, name as nick from users");
    let extracted = bench.extract().await;
    assert_eq!(extracted.diff.changes.updated, 2);
    let today = bench.warehouse.recipe(&extracted.job);
    let tracked = bench.tracked().await.recipe;
    assert_ne!(tracked, today);
    assert_eq!(tracked.version, today.version);
    assert_eq!(today.columns.len(), 5, "the identifier, then every column");
    assert!(today.columns[0].starts_with("id: "), "{today:?}");
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.recipe, today);
}

pub(super) async fn a_renamed_column_changes_the_checksums<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    bench.query("select id, name, city as town from users");
    assert_eq!(bench.sync().await.len(), 2);
    assert_lines!(bench.sync().await, []);
}

pub(super) async fn the_order_of_columns_does_not_matter<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let recipe = bench.sync().await.len();
    assert_eq!(recipe, 2);
    bench.query("select city, id, name from users");
    let extracted = bench.extract().await;
    assert_lines!(extracted.lines(), []);
    assert_eq!(bench.warehouse.recipe(&extracted.job), bench.tracked().await.recipe);
}

pub(super) async fn a_rebase_takes_over_without_sending<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    let job = bench.job().await;
    assert_eq!(bench.warehouse.rebase(&job).await, Ok(0), "nothing is tracked");
    assert_eq!(bench.warehouse.tracked("users-to_hook").await, Ok(None));
    bench.sync().await;
    let before = bench.tracked().await;
    bench.query("select id, name, city, 1 as visits from users");
    bench.keep_deleted_values = true;
    let job = bench.job().await;
    assert_eq!(bench.warehouse.rebase(&job).await, Ok(2));
    assert_eq!(bench.warehouse.rebase(&job).await, Ok(0));
    let after = bench.tracked().await;
    assert_eq!(after.recipe, bench.warehouse.recipe(&job));
    assert_eq!((after.records, after.sync), (2, before.sync));
    assert_lines!(bench.sync().await, []);
    bench.run("delete from users where id = 1").await;
    let expected = r#"deleted 1 {"id":1,"name":"Ada","city":"London","visits":1}"#;
    assert_lines!(bench.sync().await, [expected]);
}

pub(super) async fn a_rebase_leaves_what_is_gone_and_what_is_new<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.run("insert into users values (4, 'Di', 'Oslo')").await;
    bench.trust_deletes = true;
    bench.sync().await;
    bench
        .run("delete from users where id = 1; insert into users values (3, 'Cy', ''), (4, 'twin', ''); \
              insert into users values (null, 'nobody', '')")
        .await;
    bench.query("select id, name from users");
    let job = bench.job().await;
    assert_eq!(bench.warehouse.rebase(&job).await, Ok(1));
    assert_eq!(bench.tracked().await.records, 3);
    assert_lines!(
        bench.sync().await,
        [r#"deleted 1 {"id":null,"name":null}"#, r#"added 3 {"id":3,"name":"Cy"}"#]
    );
}

pub(super) async fn identifiers_may_change_their_type<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    // The same identifiers as text are the same records, changed in their type alone.
    bench.query("select cast(id as varchar(20)) as id, name, city from users");
    let lines = bench.sync().await;
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.starts_with("updated")), "{lines:?}");
    assert_lines!(bench.sync().await, []);
    bench.run("delete from users where id = 1; insert into users values (3, 'Cy', 'Bonn')").await;
    let extracted = bench.extract().await;
    let short: Vec<_> = extracted
        .changes
        .iter()
        .map(|one| (one.operation.as_str(), one.record_id.as_str()))
        .collect();
    assert!(short.contains(&("deleted", "1")) && short.contains(&("added", "3")), "{short:?}");
    for _ in 0..2 {
        bench.warehouse.commit(&extracted.commit()).await.unwrap();
        assert_eq!(bench.tracked().await.records, 2);
    }
    // And back.
    bench.query("select id, name, city from users");
    assert_eq!(bench.sync().await.len(), 2);
    assert_lines!(bench.sync().await, []);
    assert_eq!(bench.tracked().await.records, 2);
}

pub(super) async fn a_new_generation_finds_every_record_changed<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    bench.run("delete from users where id = 2; insert into users values (3, 'Cy', 'Bonn')").await;
    bench.generation = 1;
    let extracted = bench.extract().await;
    let expected = [
        r#"updated 1 {"id":1,"name":"Ada","city":"London"}"#,
        r#"deleted 2 {"id":null,"name":null,"city":null}"#,
        r#"added 3 {"id":3,"name":"Cy","city":"Bonn"}"#,
    ];
    assert_eq!(extracted.lines(), expected);
    assert_eq!(bench.tracked().await.recipe.generation, 0, "nothing is taken over yet");
    // Given up: the next sync compares as ever.
    bench.warehouse.finish(&extracted.job).await.unwrap();
    bench.generation = 0;
    assert_eq!(bench.sync().await, &expected[1..]);
    bench.generation = 1;
    assert_eq!(bench.sync().await.len(), 2);
    let tracked = bench.tracked().await;
    assert_eq!((tracked.recipe.generation, tracked.records), (1, 2));
    assert_lines!(bench.sync().await, []);
    bench.run("update users set city = 'Rome' where id = 3").await;
    assert_lines!(bench.sync().await, [r#"updated 3 {"id":3,"name":"Cy","city":"Rome"}"#]);
    let job = bench.job().await;
    assert_eq!(bench.warehouse.rebase(&job).await, Ok(0));
    assert_eq!(bench.tracked().await.recipe, bench.warehouse.recipe(&job));
}

pub(super) async fn what_a_new_generation_did_not_deliver_is_found_again<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, "(1, 'Ada', ''), (2, 'Bo', ''), (3, 'Cy', '')").await;
    bench.sync().await;
    bench.generation = 1;
    let extracted = bench.extract().await;
    let commit = Commit { seqs: extracted.seqs(&["2", "3"]), ..extracted.commit() };
    for _ in 0..2 {
        bench.warehouse.commit(&commit).await.unwrap();
        let tracked = bench.tracked().await;
        assert_eq!((tracked.recipe.generation, tracked.records), (1, 3));
    }
    bench.warehouse.finish(&extracted.job).await.unwrap();
    // A value from before does not make it look delivered.
    bench.run("update users set name = 'Cyd' where id = 3").await;
    let next = bench.extract().await;
    assert_lines!(
        next.lines(),
        [
            r#"updated 2 {"id":2,"name":"Bo","city":""}"#,
            r#"updated 3 {"id":3,"name":"Cyd","city":""}"#,
        ]
    );
    bench.commit(&Commit { seqs: next.seqs(&["2"]), ..next.commit() }).await;
    bench.generation = 2;
    assert_eq!(bench.sync().await.len(), 3);
    assert_lines!(bench.sync().await, []);
}
