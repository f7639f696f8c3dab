//! What a kill leaves behind: an operation is dropped at one moment after the other, as if its process
//! had died there, and another process goes on.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ebb_core::{Failure, port::Commit};

use crate::{assert_lines, bench::Bench, engine::Engine};

const ROWS: &str = "(1, 'Ada', ''), (2, 'Bo', ''), (3, 'Cy', ''), (4, 'Di', '')";

/// Where an operation is cut: after it was polled so many times.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// At once: what was asked of the engine last is under way.
    UnderWay(u32),
    /// When the engine has answered.
    Answered(u32),
}

impl Cut {
    /// Every moment, the earliest first.
    fn all() -> impl Iterator<Item = Self> {
        (1..).flat_map(|polls| [Self::UnderWay(polls), Self::Answered(polls)])
    }

    /// Drives an operation up to this moment and drops it there; `None` if it did not end before.
    async fn of<T>(self, operation: impl Future<Output = T>) -> Option<T> {
        let (Self::UnderWay(polls) | Self::Answered(polls)) = self;
        let mut operation = pin!(operation);
        let mut left = polls;
        let ended = poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match (operation.as_mut().poll(context), self) {
                (Poll::Pending, Self::UnderWay(_)) if left == 0 => Poll::Ready(None),
                (Poll::Pending, Self::UnderWay(_) | Self::Answered(_)) => Poll::Pending,
                (Poll::Ready(ended), _) => Poll::Ready(Some(ended)),
            }
        });
        ended.await
    }
}

/// What another process does next. The engine may still be busy with what was cut, and refuse until it
/// has noticed that nobody waits for it.
async fn afterwards<T>(operation: impl AsyncFn() -> Result<T, Failure>) -> T {
    for _ in 0..50 {
        if let Ok(done) = operation().await {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    operation().await.unwrap()
}

pub(super) async fn a_commit_that_is_cut_anywhere_is_whole_or_not_at_all<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    for (round, cut) in (1..).zip(Cut::all().step_by(E::CUTS_APART)) {
        bench
            .run(&format!(
                "update users set city = '{round}' where id in (1, 4); delete from users where \
                 id = {} or id > 5; insert into users values ({}, 'Ed', ''), (6, 'Flo', '{round}')",
                2 + round % 2,
                3 - round % 2,
            ))
            .await;
        let extracted = bench.extract().await;
        let commit = Commit { seqs: extracted.seqs(&["1", "6"]), ..extracted.commit() };
        let ended = cut.of(bench.warehouse.commit(&commit)).await;
        // Another process, which knows nothing of the one that died.
        bench.warehouse = bench.engine.connect();
        let failed: Vec<_> = extracted
            .lines()
            .into_iter()
            .filter(|line| line.contains(" 1 ") || line.contains(" 6 "))
            .collect();
        let seen = bench.extract().await;
        assert!(
            seen.lines() == extracted.lines() || seen.lines() == failed,
            "{cut:?}: {:?} of {:?}",
            seen.lines(),
            extracted.lines()
        );
        bench.warehouse.finish(&seen.job).await.unwrap();
        afterwards(async || bench.warehouse.commit(&commit).await).await;
        bench.warehouse.finish(&commit.job).await.unwrap();
        let after = bench.extract().await;
        assert_eq!(after.lines(), failed, "{cut:?}");
        bench.commit(&after.commit()).await;
        assert_lines!(bench.sync().await, []);
        if let Some(ended) = ended {
            ended.unwrap();
            assert!(round > 2, "the commit was not cut");
            return;
        }
    }
}

pub(super) async fn a_diff_that_is_cut_anywhere_can_be_done_again<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    bench.run("update users set city = 'Bonn' where id = 1; delete from users where id = 2").await;
    let job = bench.job().await;
    for cut in Cut::all().step_by(E::CUTS_APART) {
        let ended = cut.of(bench.warehouse.diff(&job)).await;
        bench.warehouse = bench.engine.connect();
        let diff = afterwards(async || bench.warehouse.diff(&job).await).await;
        assert_eq!((diff.changes.updated, diff.changes.deleted), (1, 1), "{cut:?}");
        if let Some(ended) = ended {
            assert_eq!(ended, Ok(diff));
            break;
        }
    }
    bench.warehouse.finish(&job).await.unwrap();
    assert_eq!(bench.sync().await.len(), 2);
}

pub(super) async fn a_rebase_that_is_cut_anywhere_can_be_done_again<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    for (round, cut) in (1..).zip(Cut::all().step_by(E::CUTS_APART)) {
        bench.query(&format!("select id, name, {round} as round from users"));
        let job = bench.job().await;
        let ended = cut.of(bench.warehouse.rebase(&job)).await;
        bench.warehouse = bench.engine.connect();
        assert_eq!(bench.tracked().await.records, 4, "{cut:?}");
        afterwards(async || bench.warehouse.rebase(&job).await).await;
        assert_lines!(bench.sync().await, []);
        if let Some(ended) = ended {
            assert_eq!(ended, Ok(4), "{cut:?}");
            return;
        }
    }
}

pub(super) async fn tables_that_a_sync_left_are_listed_and_dropped<E: Engine>(engine: E) {
    let mut bench = Bench::users(engine, ROWS).await;
    bench.sync().await;
    assert!(bench.warehouse.leftovers().await.unwrap().is_empty());
    let (left, other) = (bench.extract().await, bench.extract().await);
    // Killed between commit and finish: the commit's own tables may lie there as well.
    bench.run("update users set city = 'Bonn' where id = 1").await;
    let changed = bench.extract().await;
    let commit = Commit { seqs: changed.seqs(&["1"]), ..changed.commit() };
    bench.warehouse.commit(&commit).await.unwrap();

    let leftovers = bench.warehouse.leftovers().await.unwrap();
    let syncs: Vec<_> = leftovers.keys().copied().collect();
    assert_eq!(syncs, [left.job.sync, other.job.sync, changed.job.sync]);
    for sync in [left.job.sync, changed.job.sync] {
        bench.warehouse.clean(sync).await.unwrap();
        bench.warehouse.clean(sync).await.unwrap();
    }
    let leftovers = bench.warehouse.leftovers().await.unwrap();
    assert_eq!(leftovers.into_keys().collect::<Vec<_>>(), [other.job.sync]);
    assert!(bench.warehouse.has_changes(&other.job).await.unwrap());
    bench.warehouse.finish(&other.job).await.unwrap();
    assert_lines!(bench.sync().await, [r#"updated 1 {"id":1,"name":"Ada","city":"Bonn"}"#]);
}

#[test]
fn an_operation_is_cut_where_it_is_said() {
    let mut context = Context::from_waker(Waker::noop());
    let mut polled = 0;
    {
        let operation = poll_fn(|_| {
            polled += 1;
            Poll::<()>::Pending
        });
        let mut cut = pin!(Cut::Answered(2).of(operation));
        assert!(cut.as_mut().poll(&mut context).is_pending());
        assert!(cut.as_mut().poll(&mut context).is_pending());
        assert_eq!(cut.as_mut().poll(&mut context), Poll::Ready(None));
    }
    assert_eq!(polled, 2);
    let mut cut = pin!(Cut::UnderWay(1).of(std::future::pending::<()>()));
    assert_eq!(cut.as_mut().poll(&mut context), Poll::Ready(None));
}
