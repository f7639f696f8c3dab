//! A mapping on an engine, synced without a destination: what a scenario sees and does.

use std::sync::Arc;

use ebb_core::{
    Operation, RecordSet, SyncId,
    port::{Commit, Diff, DiffJob, ModelQuery, Tracked, Warehouse},
};
use futures_util::TryStreamExt;
use roaring::RoaringTreemap;

use crate::engine::Engine;

/// One mapping of one model.
pub(crate) struct Bench<E> {
    pub(crate) engine: E,
    pub(crate) warehouse: Arc<dyn Warehouse>,
    pub(crate) model: ModelQuery,
    pub(crate) generation: u32,
    pub(crate) keep_deleted_values: bool,
    pub(crate) limit: u64,
    pub(crate) trust_deletes: bool,
    syncs: u64,
}

/// A change as it was streamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) seq: u64,
    pub(crate) operation: Operation,
    pub(crate) record_id: String,
    /// The columns as JSON.
    pub(crate) values: String,
    pub(crate) message_id: String,
}

/// A diff and what it streamed, not yet committed.
pub(crate) struct Extracted {
    pub(crate) job: DiffJob,
    pub(crate) diff: Diff,
    pub(crate) changes: Vec<Change>,
}

impl Extracted {
    /// The changes as lines, sorted by record: `added 1 {"id":1}`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self
            .changes
            .iter()
            .map(|change| format!("{} {} {}", change.operation, change.record_id, change.values))
            .collect();
        lines.sort_by_key(|line| line.split(' ').nth(1).map(str::to_owned));
        lines
    }

    /// The seqs of some records.
    pub(crate) fn seqs(&self, record_ids: &[&str]) -> RoaringTreemap {
        let chosen = |change: &&Change| record_ids.contains(&change.record_id.as_str());
        self.changes.iter().filter(chosen).map(|change| change.seq).collect()
    }

    /// A commit of everything.
    pub(crate) fn commit(&self) -> Commit {
        Commit {
            job: self.job.clone(),
            seqs: RoaringTreemap::new(),
            inverted: false,
            subscribed: Operation::ALL.to_vec(),
        }
    }
}

impl<E: Engine> Bench<E> {
    /// A mapping `users-to_hook` of a query with the identifier `id`.
    pub(crate) fn new(engine: E, sql: &str) -> Self {
        let model =
            ModelQuery { sql: engine.model(sql), id: "id".to_owned(), ..ModelQuery::default() };
        let warehouse = engine.connect();
        Self {
            engine,
            warehouse,
            model,
            generation: 0,
            keep_deleted_values: false,
            limit: 1_000_000,
            trust_deletes: false,
            syncs: 0,
        }
    }

    /// A table `users (id, name, city)` with these rows, and the model that reads all of it.
    pub(crate) async fn users(engine: E, rows: &str) -> Self {
        engine.run("create table users (id bigint, name varchar(50), city varchar(50))").await;
        if !rows.is_empty() {
            engine.run(&format!("insert into users values {rows}")).await;
        }
        Self::new(engine, "select id, name, city from users")
    }

    /// Changes the model's query.
    pub(crate) fn query(&mut self, sql: &str) {
        self.model.sql = self.engine.model(sql);
    }

    /// Changes data by the engine's own client.
    pub(crate) async fn run(&self, sql: &str) {
        self.engine.run(sql).await;
    }

    /// The job of the next sync.
    pub(crate) async fn job(&mut self) -> DiffJob {
        self.syncs += 1;
        DiffJob {
            sync: SyncId::from_parts(1_700_000_000_000 + self.syncs, 7),
            mapping: "users-to_hook".to_owned(),
            source: "shop".to_owned(),
            model_name: "users".to_owned(),
            model: self.model.clone(),
            columns: self.warehouse.columns(&self.model).await.unwrap(),
            generation: self.generation,
            keep_deleted_values: self.keep_deleted_values,
            limit: self.limit,
            trust_deletes: self.trust_deletes,
        }
    }

    /// Diffs and streams all changes.
    pub(crate) async fn extract(&mut self) -> Extracted {
        let job = self.job().await;
        let diff = self.warehouse.diff(&job).await.unwrap();
        let changes = self.changes(&job, &Operation::ALL, None).await;
        assert_eq!(diff.changes.total(), changes.len() as u64, "counted as streamed");
        assert!(changes.is_sorted_by_key(|change| change.seq), "in the order of seq");
        Extracted { job, diff, changes }
    }

    /// The changes of a job.
    pub(crate) async fn changes(
        &self,
        job: &DiffJob,
        operations: &[Operation],
        after: Option<u64>,
    ) -> Vec<Change> {
        let stream = self.warehouse.changes(job, operations, after).await.unwrap();
        let batches: Vec<_> = stream.try_collect().await.unwrap();
        let sets = batches.iter().map(|batch| {
            RecordSet::new(batch, "users-to_hook".into(), "2026-01-01T00:00:00Z".into()).unwrap()
        });
        sets.flat_map(|set| {
            set.iter()
                .map(|record| Change {
                    seq: record.seq(),
                    operation: record.operation(),
                    record_id: record.record_id().to_owned(),
                    values: record.properties().to_json(),
                    message_id: record.message_id(),
                })
                .collect::<Vec<_>>()
        })
        .collect()
    }

    /// Commits and drops the changes.
    pub(crate) async fn commit(&self, commit: &Commit) {
        self.warehouse.commit(commit).await.unwrap();
        self.warehouse.finish(&commit.job).await.unwrap();
        assert!(!self.warehouse.has_changes(&commit.job).await.unwrap());
    }

    /// A whole sync in which everything is delivered: its changes as lines.
    pub(crate) async fn sync(&mut self) -> Vec<String> {
        let extracted = self.extract().await;
        self.commit(&extracted.commit()).await;
        extracted.lines()
    }

    /// The tracked state, which must be there.
    pub(crate) async fn tracked(&self) -> Tracked {
        self.warehouse.tracked("users-to_hook").await.unwrap().expect("something is tracked")
    }
}

/// Compares changes with the lines that are expected.
#[macro_export]
macro_rules! assert_lines {
    ($lines:expr, [$($expected:expr),* $(,)?]) => {
        let expected: Vec<String> = vec![$(String::from($expected)),*];
        assert_eq!($lines, expected);
    };
}
