//! A table of people and the tracked state, with the semantics that the port promises.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use ebb_core::{
    Code, Column, ColumnKind, Failure, Operation, SyncId,
    port::{
        BatchStream, Commit, Diff, DiffJob, Finding, ModelQuery, Preview, Recipe, Tables, Tracked,
        Wanted, Warehouse,
    },
    record::staged_schema,
};
use futures_util::{StreamExt, stream};

/// A row of the model: identifier and value.
pub(crate) type Row = (Option<String>, i64);

#[derive(Clone)]
struct Change {
    seq: u64,
    operation: Operation,
    id: String,
    value: Option<i64>,
    /// Of the new value, or of the tracked one if the record is gone.
    checksum: i64,
}

#[derive(Default)]
struct State {
    rows: Vec<Row>,
    /// Value and generation of the checksums.
    tracked: Option<BTreeMap<String, (i64, u32)>>,
    generation: u32,
    sync: Option<SyncId>,
    version: u32,
    recipe: u32,
    changes: BTreeMap<SyncId, Vec<Change>>,
}

/// Fails with a lost connection now and then.
pub(crate) struct MemoryWarehouse {
    state: Mutex<State>,
    random: Mutex<fastrand::Rng>,
    /// Of a thousand calls, so many are lost.
    pub(crate) lost: Mutex<u32>,
    /// So many commits go through, but their answers are lost.
    pub(crate) loses_commits: AtomicU32,
    /// So many streams of changes break after their first batch.
    pub(crate) breaks_streams: AtomicU32,
}

pub(crate) fn columns() -> Vec<Column> {
    vec![
        Column::new("id", ColumnKind::Text, "text"),
        Column::new("value", ColumnKind::Integer, "bigint"),
    ]
}

impl MemoryWarehouse {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            lost: Mutex::new(0),
            loses_commits: AtomicU32::new(0),
            breaks_streams: AtomicU32::new(0),
        }
    }

    pub(crate) fn set_rows(&self, rows: Vec<Row>) {
        self.state.lock().unwrap().rows = rows;
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.state.lock().unwrap().rows.clone()
    }

    pub(crate) fn upgrade_engine(&self) {
        self.state.lock().unwrap().version += 1;
    }

    pub(crate) fn tracked_records(&self) -> BTreeMap<String, i64> {
        let tracked = self.state.lock().unwrap().tracked.clone().unwrap_or_default();
        tracked.into_iter().map(|(id, (value, _))| (id, value)).collect()
    }

    pub(crate) fn changes_tables(&self) -> usize {
        self.state.lock().unwrap().changes.len()
    }

    fn may_fail(&self) -> Result<(), Failure> {
        let often = *self.lost.lock().unwrap();
        if self.random.lock().unwrap().u32(0..1000) < often {
            return Err(lost());
        }
        Ok(())
    }
}

fn lost() -> Failure {
    Failure::new(Code::SourceLost, "the connection was lost")
}

/// Whether there was one to take.
fn one_less(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// The checksum of a value in a generation.
fn checksum((value, generation): (i64, u32)) -> i64 {
    value + i64::from(generation) * 1_000_000
}

/// The model by identifier: a list of values, more than one for duplicates.
fn by_id(rows: &[Row]) -> BTreeMap<&String, Vec<i64>> {
    let mut map: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (id, value) in rows {
        if let Some(id) = id {
            map.entry(id).or_default().push(*value);
        }
    }
    map
}

fn batch(changes: &[Change]) -> RecordBatch {
    let numbers = |get: &dyn Fn(&Change) -> Option<i64>| -> Arc<dyn Array> {
        Arc::new(changes.iter().map(get).collect::<Int64Array>())
    };
    let texts = |get: &dyn Fn(&Change) -> Option<String>| -> Arc<dyn Array> {
        Arc::new(changes.iter().map(get).collect::<StringArray>())
    };
    RecordBatch::try_new(
        Arc::new(staged_schema(&columns())),
        vec![
            numbers(&|change| i64::try_from(change.seq).ok()),
            numbers(&|change| Some(change.operation.number())),
            texts(&|change| Some(change.id.clone())),
            texts(&|change| Some(change.checksum.to_string())),
            texts(&|change| Some(change.id.clone())),
            numbers(&|change| change.value),
        ],
    )
    .unwrap()
}

#[async_trait]
impl Warehouse for MemoryWarehouse {
    async fn try_steps(&self, _: &mut (dyn FnMut(Finding) + Send)) {}

    async fn columns(&self, _: &ModelQuery) -> Result<Vec<Column>, Failure> {
        self.may_fail()?;
        Ok(columns())
    }

    async fn preview(
        &self,
        _: &ModelQuery,
        wanted: Wanted<'_>,
        limit: usize,
    ) -> Result<Preview, Failure> {
        let rows = self.rows();
        let wanted = |change: &Change| match wanted {
            Wanted::First => true,
            Wanted::Record(id) => change.id == id,
            Wanted::Containing(text) => change.id.contains(text),
        };
        let changes: Vec<_> = rows.iter().filter_map(as_added).filter(wanted).take(limit).collect();
        Ok(Preview { columns: columns(), rows: batch(&changes) })
    }

    async fn tables(&self) -> Result<Tables, Failure> {
        Ok(Tables::default())
    }

    async fn tracked(&self, _: &str) -> Result<Option<Tracked>, Failure> {
        self.may_fail()?;
        let state = self.state.lock().unwrap();
        Ok(state.tracked.as_ref().map(|tracked| Tracked {
            recipe: Recipe {
                version: state.recipe.to_string(),
                columns: Vec::new(),
                generation: state.generation,
            },
            sync: state.sync,
            records: tracked.len() as u64,
            checkpoint: None,
        }))
    }

    fn recipe(&self, job: &DiffJob) -> Recipe {
        let version = self.state.lock().unwrap().version.to_string();
        Recipe { version, columns: Vec::new(), generation: job.generation }
    }

    async fn diff(&self, job: &DiffJob) -> Result<Diff, Failure> {
        self.may_fail()?;
        tokio::task::yield_now().await;
        {
            let mut state = self.state.lock().unwrap();
            let mut diff = Diff { first: state.tracked.is_none(), ..Diff::default() };
            diff.empty = state.rows.is_empty();
            diff.discarded.null = state.rows.iter().filter(|(id, _)| id.is_none()).count() as u64;
            let tracked = state.tracked.clone().unwrap_or_default();
            diff.tracked = tracked.len() as u64;
            let model = by_id(&state.rows);
            let mut found = Vec::new();
            for (id, values) in &model {
                let old = tracked.get(*id);
                match (values.as_slice(), old) {
                    ([value], Some(old)) if (*value, job.generation) == *old => {}
                    ([value], old) => {
                        let operation =
                            if old.is_some() { Operation::Updated } else { Operation::Added };
                        let checksum = checksum((*value, job.generation));
                        found.push(((*id).clone(), operation, Some(*value), checksum));
                    }
                    (several, old) => {
                        let duplicates = &mut diff.discarded.duplicates;
                        let count = several.len() as u64;
                        *if old.is_some() {
                            &mut duplicates.updated
                        } else {
                            &mut duplicates.added
                        } += count;
                        diff.discarded.duplicate_ids.push((*id).clone());
                    }
                }
            }
            for (id, old) in tracked.iter().filter(|(id, _)| !model.contains_key(id)) {
                found.push((id.clone(), Operation::Deleted, None, checksum(*old)));
            }
            let limit = usize::try_from(job.limit).unwrap();
            let changes: Vec<_> = (1..)
                .zip(found.into_iter().take(limit))
                .map(|(seq, (id, operation, value, checksum))| {
                    *diff.changes.of(operation) += 1;
                    // Holes between the numbers are legal.
                    Change { seq: seq * 3, operation, id, value, checksum }
                })
                .collect();
            state.changes.insert(job.sync, changes);
            Ok(diff)
        }
    }

    async fn changes(
        &self,
        job: &DiffJob,
        operations: &[Operation],
        after: Option<u64>,
    ) -> Result<BatchStream, Failure> {
        self.may_fail()?;
        let state = self.state.lock().unwrap();
        let all = state.changes.get(&job.sync).cloned();
        let all = all.ok_or_else(|| Failure::new(Code::SourceLost, "no changes table"))?;
        let wanted: Vec<_> = all
            .into_iter()
            .filter(|change| operations.contains(&change.operation))
            .filter(|change| after.is_none_or(|after| change.seq > after))
            .collect();
        let mut batches: Vec<Result<RecordBatch, Failure>> =
            wanted.chunks(5).map(|chunk| self.may_fail().map(|()| batch(chunk))).collect();
        if batches.len() > 1 && one_less(&self.breaks_streams) {
            batches[1] = Err(lost());
        }
        // Like those of real sources, it must not be asked again behind its end.
        Ok(stream::unfold(batches.into_iter(), async |mut batches| {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            Some((batches.next()?, batches))
        })
        .boxed())
    }

    async fn has_changes(&self, job: &DiffJob) -> Result<bool, Failure> {
        Ok(self.state.lock().unwrap().changes.contains_key(&job.sync))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), Failure> {
        self.may_fail()?;
        tokio::task::yield_now().await;
        {
            let mut state = self.state.lock().unwrap();
            let changes = state.changes.get(&commit.job.sync).cloned();
            let changes =
                changes.ok_or_else(|| Failure::new(Code::SourceLost, "no changes table"))?;
            let mut tracked = state.tracked.take().unwrap_or_default();
            for change in changes {
                let listed = commit.seqs.contains(change.seq);
                let applies =
                    !commit.subscribed.contains(&change.operation) || listed == commit.inverted;
                if applies {
                    match change.value {
                        Some(value) => tracked.insert(change.id, (value, commit.job.generation)),
                        None => tracked.remove(&change.id),
                    };
                }
            }
            state.tracked = Some(tracked);
            state.sync = Some(commit.job.sync);
            state.recipe = state.version;
            state.generation = commit.job.generation;
        }
        // The transaction is through, but its answer may be lost.
        if one_less(&self.loses_commits) {
            return Err(lost());
        }
        self.may_fail()
    }

    async fn finish(&self, job: &DiffJob) -> Result<(), Failure> {
        self.may_fail()?;
        self.state.lock().unwrap().changes.remove(&job.sync);
        Ok(())
    }

    async fn leftovers(&self) -> Result<BTreeMap<SyncId, Vec<String>>, Failure> {
        let state = self.state.lock().unwrap();
        Ok(state.changes.keys().map(|sync| (*sync, vec![format!("changes_{sync}")])).collect())
    }

    async fn clean(&self, sync: SyncId) -> Result<(), Failure> {
        self.state.lock().unwrap().changes.remove(&sync);
        Ok(())
    }

    async fn rebase(&self, job: &DiffJob) -> Result<u64, Failure> {
        let mut state = self.state.lock().unwrap();
        let rows = state.rows.clone();
        let model = by_id(&rows);
        let mut taken = 0;
        for (id, value) in state.tracked.get_or_insert_default() {
            if let Some([new]) = model.get(id).map(Vec::as_slice) {
                let new = (*new, job.generation);
                taken += u64::from(new != *value);
                *value = new;
            }
        }
        state.recipe = state.version;
        state.generation = job.generation;
        Ok(taken)
    }

    async fn reset(&self, _: &str) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap();
        state.tracked = None;
        state.generation = 0;
        state.sync = None;
        Ok(())
    }
}

fn as_added(row: &Row) -> Option<Change> {
    let (id, value) = row;
    let id = id.clone()?;
    Some(Change { seq: 1, operation: Operation::Added, id, value: Some(*value), checksum: *value })
}
