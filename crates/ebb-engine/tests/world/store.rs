//! The control database and the part store in memory. A write that returned is kept, as after a
//! `kill -9`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use arrow_array::{Int64Array, RecordBatch, cast::AsArray, types::Int64Type};
use async_trait::async_trait;
use ebb_core::{
    Code, Counts, Failure, Operation, PartNumber, SyncId, Tally,
    port::{
        Attempts, Cancellation, FailureGroup, JournalEntry, Lock, Outcomes, PartInfo, Parts,
        Reason, Store, SyncRecord, Verdict, processed,
    },
    record::{OP, SEQ},
    usage::{Cycle, Used},
};
use jiff::Timestamp;
use roaring::RoaringTreemap;

#[derive(Default)]
struct State {
    syncs: BTreeMap<SyncId, SyncRecord>,
    parts: BTreeMap<SyncId, Vec<PartInfo>>,
    outcomes: BTreeMap<SyncId, Outcomes>,
    reasons: BTreeMap<SyncId, Vec<Reason>>,
    attempts: BTreeMap<(String, String), (Attempts, SyncId)>,
    canceled: BTreeMap<SyncId, Cancellation>,
    used: BTreeMap<(Cycle, String), u64>,
    locks: BTreeSet<String>,
    remade: BTreeMap<String, i64>,
}

impl State {
    fn save(&mut self, mut sync: SyncRecord) {
        if sync.status.is_final()
            && let Some(used) = self.open(sync.id)
        {
            *self.used.entry((used.cycle, used.destination)).or_default() += used.records;
        }
        if !sync.status.is_final()
            && let Some(old) = self.syncs.get(&sync.id)
        {
            let Counts { extracted, not_subscribed, .. } = sync.counts;
            sync.counts = Counts { extracted, not_subscribed, ..old.counts };
        }
        self.syncs.insert(sync.id, sync);
    }

    /// What a sync used that has not ended.
    fn open(&self, sync: SyncId) -> Option<Used> {
        let record = self.syncs.get(&sync).filter(|record| !record.status.is_final())?;
        let groups = self.groups(sync);
        Some(Used {
            destination: record.destination()?.to_owned(),
            cycle: Cycle::of(record.started_at),
            records: processed(&record.counts, &groups),
        })
    }

    fn groups(&self, sync: SyncId) -> Vec<FailureGroup> {
        let reasons = self.reasons.get(&sync).into_iter().flatten();
        reasons.map(|reason| reason.group.clone()).collect()
    }
}

/// Everything in one mutex, never held over an await.
#[derive(Default)]
pub(crate) struct MemoryStore {
    state: Arc<Mutex<State>>,
}

struct Held(Arc<Mutex<State>>, String);

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().locks.remove(&self.1);
    }
}

impl MemoryStore {
    pub(crate) fn all(&self) -> Vec<SyncRecord> {
        self.state.lock().unwrap().syncs.values().cloned().collect()
    }

    /// A mapping is deleted and made again.
    pub(crate) fn remake(&self, mapping: &str, version: i64) {
        self.state.lock().unwrap().remade.insert(mapping.to_owned(), version);
    }

    pub(crate) fn attempts_kept(&self) -> usize {
        self.state.lock().unwrap().attempts.len()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn lock(&self, mapping: &str) -> Result<Box<dyn Lock>, Failure> {
        if self.state.lock().unwrap().locks.insert(mapping.to_owned()) {
            return Ok(Box::new(Held(Arc::clone(&self.state), mapping.to_owned())));
        }
        Err(Failure::new(Code::SyncRunning, format!("a sync of `{mapping}` is running")))
    }

    async fn save(&self, sync: &SyncRecord) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        self.state.lock().unwrap().save(sync.clone());
        // A kill may come when it is written and before the engine knows.
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn sync(&self, id: SyncId) -> Result<SyncRecord, Failure> {
        let found = self.state.lock().unwrap().syncs.get(&id).cloned();
        found.ok_or_else(|| Failure::new(Code::SyncNotFound, format!("no sync `{id}`")))
    }

    async fn syncs(&self, mapping: Option<&str>, limit: usize) -> Result<Vec<SyncRecord>, Failure> {
        let state = self.state.lock().unwrap();
        let wanted = state.syncs.values().rev();
        let wanted = wanted.filter(|sync| mapping.is_none_or(|mapping| sync.mapping == mapping));
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn unfinished(&self, mapping: &str) -> Result<Option<SyncRecord>, Failure> {
        let state = self.state.lock().unwrap();
        let mut open = state.syncs.values().filter(|sync| !sync.status.is_final());
        Ok(open.find(|sync| sync.mapping == mapping).cloned())
    }

    async fn request_cancel(&self, id: SyncId, by: &Cancellation) -> Result<(), Failure> {
        self.state.lock().unwrap().canceled.entry(id).or_insert_with(|| by.clone());
        Ok(())
    }

    async fn cancel_requested(&self, id: SyncId) -> Result<bool, Failure> {
        Ok(self.state.lock().unwrap().canceled.contains_key(&id))
    }

    async fn add_part(&self, sync: SyncId, part: &PartInfo) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        self.state.lock().unwrap().parts.entry(sync).or_default().push(part.clone());
        Ok(())
    }

    async fn parts(&self, sync: SyncId) -> Result<Vec<PartInfo>, Failure> {
        Ok(self.state.lock().unwrap().parts.get(&sync).cloned().unwrap_or_default())
    }

    async fn forget_parts(&self, sync: SyncId) -> Result<(), Failure> {
        self.state.lock().unwrap().parts.remove(&sync);
        Ok(())
    }

    async fn record(
        &self,
        sync: SyncId,
        _: PartNumber,
        entries: Vec<JournalEntry>,
    ) -> Result<(), Failure> {
        // Before this await the outcomes are lost by a kill, after it they are kept.
        tokio::time::sleep(std::time::Duration::from_micros(300)).await;
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        let outcomes = state.outcomes.entry(sync).or_default();
        let record = state.syncs.get_mut(&sync).unwrap();
        for entry in entries {
            let known = [&outcomes.delivered, &outcomes.failed, &outcomes.discarded];
            assert!(!known.iter().any(|set| set.contains(entry.seq)), "two outcomes of {entry:?}");
            let (set, tally) = match entry.verdict {
                Verdict::Delivered => (&mut outcomes.delivered, &mut record.counts.delivered),
                Verdict::Failed => (&mut outcomes.failed, &mut record.counts.failed),
                Verdict::Discarded => (&mut outcomes.discarded, &mut record.counts.discarded),
            };
            set.insert(entry.seq);
            *tally.of(entry.operation) += 1;
            let Some(told) = entry.failure else { continue };
            let (failure, sample) = *told;
            if entry.verdict == Verdict::Failed {
                let key = (record.mapping.clone(), sample.record_id.clone());
                let fresh = Attempts { count: 0, since: record.started_at };
                let (attempts, last) =
                    state.attempts.entry(key).or_insert((fresh, SyncId::from_parts(0, 0)));
                if *last != sync {
                    attempts.count += 1;
                    *last = sync;
                }
            }
            let reasons = state.reasons.entry(sync).or_default();
            match reasons.iter_mut().find(|reason| reason.group.failure == failure) {
                Some(Reason { group, seqs }) => {
                    group.count += 1;
                    seqs.insert(entry.seq);
                }
                None => reasons.push(Reason {
                    group: FailureGroup {
                        failure,
                        verdict: entry.verdict,
                        count: 1,
                        samples: vec![sample],
                    },
                    seqs: RoaringTreemap::from([entry.seq]),
                }),
            }
        }
        Ok(())
    }

    async fn outcomes(&self, sync: SyncId) -> Result<Outcomes, Failure> {
        Ok(self.state.lock().unwrap().outcomes.get(&sync).cloned().unwrap_or_default())
    }

    async fn failure_groups(&self, sync: SyncId) -> Result<Vec<FailureGroup>, Failure> {
        Ok(self.state.lock().unwrap().groups(sync))
    }

    async fn reasons(&self, sync: SyncId) -> Result<Vec<Reason>, Failure> {
        Ok(self.state.lock().unwrap().reasons.get(&sync).cloned().unwrap_or_default())
    }

    async fn attempts(
        &self,
        mapping: &str,
        sync: SyncId,
        record_ids: &[&str],
    ) -> Result<Vec<Option<Attempts>>, Failure> {
        let state = self.state.lock().unwrap();
        let one = |id: &&str| {
            let (attempts, last) = state.attempts.get(&(mapping.to_owned(), (*id).to_owned()))?;
            let count = attempts.count - u32::from(*last == sync);
            (count > 0).then_some(Attempts { count, ..*attempts })
        };
        Ok(record_ids.iter().map(one).collect())
    }

    async fn settle_attempts(&self, mapping: &str, sync: SyncId) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap();
        state.attempts.retain(|(name, _), (_, last)| name != mapping || *last == sync);
        Ok(())
    }

    async fn made_anew(&self, mapping: &str) -> Result<Option<i64>, Failure> {
        Ok(self.state.lock().unwrap().remade.get(mapping).copied())
    }

    async fn begun_anew(&self, mapping: &str, version: i64) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        let mut state = self.state.lock().unwrap();
        if state.remade.get(mapping) == Some(&version) {
            state.remade.remove(mapping);
        }
        Ok(())
    }

    async fn used(&self, since: Cycle) -> Result<Vec<Used>, Failure> {
        let state = self.state.lock().unwrap();
        let ended = state.used.iter().map(|((cycle, destination), records)| Used {
            destination: destination.clone(),
            cycle: *cycle,
            records: *records,
        });
        let open = state.syncs.keys().filter_map(|sync| state.open(*sync));
        Ok(ended.chain(open).filter(|used| used.cycle >= since).collect())
    }

    async fn with_parts_before(&self, moment: Timestamp) -> Result<Vec<SyncId>, Failure> {
        let state = self.state.lock().unwrap();
        let old = |id: &SyncId| {
            state.syncs.get(id).and_then(|sync| sync.finished_at).is_some_and(|end| end < moment)
        };
        Ok(state.parts.keys().copied().filter(old).collect())
    }
}

/// Parts in memory; some cannot be written, some are damaged when read.
pub(crate) struct MemoryParts {
    kept: Mutex<BTreeMap<(SyncId, PartNumber), Vec<RecordBatch>>>,
    random: Mutex<fastrand::Rng>,
    /// Of a thousand calls, so many fail.
    pub(crate) bad: Mutex<u32>,
}

impl MemoryParts {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            kept: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed ^ 1)),
            bad: Mutex::new(0),
        }
    }

    fn may_fail(&self, code: Code) -> Result<(), Failure> {
        let bad = *self.bad.lock().unwrap();
        if self.random.lock().unwrap().u32(0..1000) < bad {
            return Err(Failure::new(code, "the disk does not cooperate"));
        }
        Ok(())
    }
}

#[async_trait]
impl Parts for MemoryParts {
    async fn put(
        &self,
        sync: SyncId,
        number: PartNumber,
        batches: Vec<RecordBatch>,
    ) -> Result<PartInfo, Failure> {
        self.may_fail(Code::StagingFull)?;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let column = |name: &str| -> Vec<i64> {
            let values = |batch: &RecordBatch| -> Int64Array {
                batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone()
            };
            batches.iter().flat_map(|batch| values(batch).values().to_vec()).collect()
        };
        let seqs = column(SEQ);
        let mut changes = Tally::default();
        for operation in column(OP) {
            *changes.of(Operation::of_number(operation).unwrap()) += 1;
        }
        self.kept.lock().unwrap().insert((sync, number), batches);
        Ok(PartInfo {
            number,
            first: seqs[0].unsigned_abs(),
            last: seqs[seqs.len() - 1].unsigned_abs(),
            changes,
            bytes: 0,
            digest: String::new(),
        })
    }

    async fn get(&self, sync: SyncId, part: &PartInfo) -> Result<Vec<RecordBatch>, Failure> {
        self.may_fail(Code::PartDamaged)?;
        let found = self.kept.lock().unwrap().get(&(sync, part.number)).cloned();
        found.ok_or_else(|| Failure::new(Code::PartDamaged, "the part is gone"))
    }

    async fn delete(&self, sync: SyncId) -> Result<(), Failure> {
        self.kept.lock().unwrap().retain(|(of, _), _| *of != sync);
        Ok(())
    }
}
