//! Incremental models: what is read, and from where the next sync goes on.

use std::time::Duration;

use ebb_core::{Tally, port::Commit};

use crate::{assert_lines, bench::Bench, engine::Engine};

/// A bench of events with a moment, read incrementally. `day` is a day of January 2026.
async fn events<E: Engine>(engine: E, rows: &[(u32, &str, Option<u32>)]) -> Bench<E> {
    engine.run("create table events (id bigint, name varchar(50), moved_at timestamp)").await;
    let mut bench = Bench::new(engine, "select id, name, moved_at from events");
    bench.model.timestamp = Some("moved_at".to_owned());
    insert(&bench, rows).await;
    bench
}

async fn insert<E: Engine>(bench: &Bench<E>, rows: &[(u32, &str, Option<u32>)]) {
    for (id, name, day) in rows {
        let moment =
            day.map_or("null".to_owned(), |day| format!("'2026-01-{day:02} 10:00:00.123456'"));
        bench.run(&format!("insert into events values ({id}, '{name}', {moment})")).await;
    }
}

/// Operation and identifier of lines.
fn short(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

async fn sync<E: Engine>(bench: &mut Bench<E>) -> Vec<String> {
    short(&bench.sync().await)
}

pub(super) async fn only_newer_rows_are_read<E: Engine>(engine: E) {
    let mut bench = events(engine, &[(1, "a", Some(1)), (2, "b", Some(2))]).await;
    let first = bench.extract().await;
    assert!(first.diff.first);
    assert_lines!(short(&first.lines()), ["added 1", "added 2"]);
    bench.commit(&first.commit()).await;
    let checkpoint = bench.tracked().await.checkpoint.unwrap();
    assert!(checkpoint.contains("2026-01-02"), "{checkpoint}");
    // Older rows change unseen, and nothing looks deleted.
    bench.run("update events set name = 'x' where id = 1").await;
    let next = bench.extract().await;
    assert_lines!(next.lines(), []);
    assert!(!next.diff.empty);
    bench.commit(&next.commit()).await;
    assert_eq!(bench.tracked().await.checkpoint, Some(checkpoint));
    bench.run("delete from events where id = 2").await;
    insert(&bench, &[(1, "y", Some(3)), (3, "c", Some(3))]).await;
    bench.run("delete from events where name = 'x'").await;
    assert_lines!(sync(&mut bench).await, ["updated 1", "added 3"]);
    assert_eq!(bench.tracked().await.records, 3);
    assert_lines!(sync(&mut bench).await, []);
}

pub(super) async fn failed_rows_hold_the_checkpoint_back<E: Engine>(engine: E) {
    let rows = [(1, "a", Some(1)), (2, "b", Some(2)), (3, "c", Some(3)), (4, "d", Some(4))];
    let mut bench = events(engine, &rows).await;
    let first = bench.extract().await;
    bench.commit(&Commit { seqs: first.seqs(&["2"]), ..first.commit() }).await;
    let checkpoint = bench.tracked().await.checkpoint.unwrap();
    assert!(checkpoint.contains("2026-01-02"), "{checkpoint}");
    let next = bench.extract().await;
    assert_lines!(short(&next.lines()), ["added 2"]);
    // It fails again: the checkpoint stays.
    bench.commit(&Commit { inverted: true, ..next.commit() }).await;
    assert_eq!(bench.tracked().await.checkpoint, Some(checkpoint));
    assert_lines!(sync(&mut bench).await, ["added 2"]);
    assert_lines!(sync(&mut bench).await, []);
}

pub(super) async fn rows_of_the_same_moment_are_not_lost<E: Engine>(engine: E) {
    let mut bench = events(engine, &[(1, "a", Some(5)), (2, "b", Some(5))]).await;
    let first = bench.extract().await;
    bench.commit(&Commit { seqs: first.seqs(&["1"]), ..first.commit() }).await;
    insert(&bench, &[(3, "c", Some(5))]).await;
    assert_lines!(sync(&mut bench).await, ["added 1", "added 3"]);
    assert_lines!(sync(&mut bench).await, []);
}

pub(super) async fn rows_that_arrive_late_are_found<E: Engine>(engine: E) {
    // There a moment is any text or number, so nothing tells what is earlier.
    let knows_moments = engine.kind() != "sqlite";
    let mut bench = events(engine, &[(1, "a", Some(1)), (2, "b", Some(5))]).await;
    bench.model.lookback = Duration::from_hours(24 * 3);
    assert_lines!(sync(&mut bench).await, ["added 1", "added 2"]);
    insert(&bench, &[(3, "early", Some(1)), (4, "late", Some(3))]).await;
    let found: &[&str] = if knows_moments { &["added 4"] } else { &[] };
    assert_eq!(sync(&mut bench).await, found);
    // What is read again is not sent again.
    assert_lines!(sync(&mut bench).await, []);
}

pub(super) async fn rows_without_a_time_are_always_read<E: Engine>(engine: E) {
    let mut bench = events(engine, &[(1, "a", None), (2, "b", Some(2))]).await;
    assert_lines!(sync(&mut bench).await, ["added 1", "added 2"]);
    assert_lines!(sync(&mut bench).await, []);
    bench.run("update events set name = 'x'").await;
    assert_lines!(sync(&mut bench).await, ["updated 1", "updated 2"]);
    insert(&bench, &[(3, "c", None)]).await;
    assert_lines!(sync(&mut bench).await, ["added 3"]);
}

pub(super) async fn a_limit_takes_the_oldest_first<E: Engine>(engine: E) {
    let rows = [
        (1, "a", Some(9)),
        (2, "b", Some(3)),
        (3, "c", Some(7)),
        (4, "d", None),
        (5, "e", Some(5)),
    ];
    let mut bench = events(engine, &rows).await;
    bench.limit = 2;
    assert_lines!(sync(&mut bench).await, ["added 2", "added 5"]);
    assert_lines!(sync(&mut bench).await, ["added 1", "added 3"]);
    assert_lines!(sync(&mut bench).await, ["added 4"]);
    assert_lines!(sync(&mut bench).await, []);
}

pub(super) async fn incremental_duplicates_are_put_aside<E: Engine>(engine: E) {
    let mut bench = events(engine, &[(1, "a", Some(1)), (2, "b", Some(2))]).await;
    bench.sync().await;
    let rows = [(2, "x", Some(3)), (3, "c", Some(3)), (3, "d", Some(3)), (4, "e", Some(3))];
    insert(&bench, &rows).await;
    bench.run("insert into events values (null, 'nobody', '2026-01-03 10:00:00')").await;
    let extracted = bench.extract().await;
    assert_lines!(short(&extracted.lines()), ["added 4"]);
    let discarded = &extracted.diff.discarded;
    assert_eq!(discarded.duplicates, Tally { added: 2, updated: 1, deleted: 0 });
    assert_eq!(discarded.duplicate_ids, ["2", "3"]);
    assert_eq!(discarded.null, 1);
    bench.commit(&extracted.commit()).await;
    assert_eq!(bench.tracked().await.records, 3);
}

pub(super) async fn a_new_generation_reads_an_incremental_model_as_a_whole<E: Engine>(engine: E) {
    let rows = [(1, "a", Some(1)), (2, "b", Some(2)), (3, "c", None)];
    let mut bench = events(engine, &rows).await;
    bench.sync().await;
    insert(&bench, &[(4, "d", Some(1))]).await;
    assert_lines!(sync(&mut bench).await, []);
    bench.generation = 1;
    let all = bench.extract().await;
    assert_lines!(short(&all.lines()), ["updated 1", "updated 2", "updated 3", "added 4"]);
    bench.commit(&Commit { seqs: all.seqs(&["1"]), ..all.commit() }).await;
    assert_lines!(sync(&mut bench).await, ["updated 1"]);
    assert_lines!(sync(&mut bench).await, []);
    // Nothing was delivered: everything is still to be.
    bench.generation = 2;
    let all = bench.extract().await;
    bench.commit(&Commit { inverted: true, ..all.commit() }).await;
    assert_eq!(bench.tracked().await.checkpoint, None);
    assert_eq!(sync(&mut bench).await.len(), 4);
    assert_lines!(sync(&mut bench).await, []);
}
