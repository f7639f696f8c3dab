//! What a killed sync leaves behind where a statement about tables ends the transaction.

use crate::{assert_lines, bench::Bench, engine::Mysql};

#[tokio::test]
async fn tables_without_a_checkpoint_mean_nothing() {
    let Some(engine) = Mysql::start().await else { return };
    let managed = engine.server().managed.clone();
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null)").await;
    let extracted = bench.extract().await;
    // Killed after the tables were made, before the transaction: as if nothing was tracked.
    bench
        .run(&format!(
            "create table {managed}.\"records_users-to_hook\" (record_id varbinary(9), old int); \
             insert into {managed}.\"records_users-to_hook\" values ('7', 1)"
        ))
        .await;
    assert_eq!(bench.warehouse.tracked("users-to_hook").await, Ok(None));
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, 2);
    assert_lines!(bench.sync().await, []);
}

#[tokio::test]
async fn a_swap_starts_again_whatever_another_left() {
    let Some(engine) = Mysql::start().await else { return };
    let managed = engine.server().managed.clone();
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London'), (2, 'Bo', null)").await;
    bench.sync().await;
    // Killed before the renaming, and after it.
    for left in ["next", "old_records", "old_checkpoints", "rebuild"] {
        bench
            .run(&format!("create table {managed}.\"{left}_users-to_hook\" (left_over int)"))
            .await;
    }
    bench.query("select id, name from users");
    let job = bench.job().await;
    assert_eq!(bench.warehouse.rebase(&job).await, Ok(2));
    assert_lines!(bench.sync().await, []);
    // Values that are kept from now on reshape what is tracked.
    bench.keep_deleted_values = true;
    bench.run("update users set name = 'Bob' where id = 2").await;
    assert_lines!(bench.sync().await, [r#"updated 2 {"id":2,"name":"Bob"}"#]);
    bench.run("delete from users where id = 2").await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":2,"name":"Bob"}"#]);
    let tables = bench
        .engine
        .server()
        .value(&format!(
            "select group_concat(table_name order by 1) from information_schema.tables \
             where table_schema = '{managed}'"
        ))
        .await;
    assert_eq!(tables, "checkpoints_users-to_hook,records_users-to_hook");
    bench.warehouse.reset("users-to_hook").await.unwrap();
}
