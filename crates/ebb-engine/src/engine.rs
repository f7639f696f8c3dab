//! The engine and what can be asked of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ebb_core::{
    Code, Failure, Limits, SyncId,
    port::{Clock, Lock, Pace, Parts, Status, Store, SyncKind, SyncRecord, Warehouse},
    usage::Cycle,
};
use jiff::Timestamp;

use crate::{
    Job, Jobs, Plan, Retries, Watch, allowance::Allowance, backfill, load::Gate, stage::PartSize,
    trace,
};

/// What the engine is built upon.
#[derive(Clone)]
pub struct Ports {
    /// The control database.
    pub store: Arc<dyn Store>,
    /// Where parts are kept.
    pub parts: Arc<dyn Parts>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// What a person said about a sync beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Approval {
    /// Nothing: guards hold what looks like an accident.
    #[default]
    Guarded,
    /// Whatever the diff finds is meant.
    Approved,
}

/// How the engine works, where that is a matter of taste and not of correctness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// When a batch is tried again.
    pub retries: Retries,
    /// When a source is asked again that goes away after it answered.
    pub source: Retries,
    /// When a part is closed.
    pub part_size: PartSize,
}

impl Default for Tuning {
    fn default() -> Self {
        let (retries, source) = (Retries::default(), Retries::of_sources());
        Self { retries, source, part_size: PartSize::default() }
    }
}

/// Runs syncs. One engine serves a whole process.
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) limits: Limits,
    pub(crate) tuning: Tuning,
    random: Mutex<fastrand::Rng>,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
    pub(crate) allowances: Mutex<HashMap<Cycle, Arc<Allowance>>>,
}

impl Engine {
    /// An engine. The same seed gives the same sync ids and the same jitter.
    pub fn new(ports: Ports, limits: Limits, tuning: Tuning, seed: u64) -> Self {
        Self {
            ports,
            limits,
            tuning,
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            gates: Mutex::default(),
            allowances: Mutex::default(),
        }
    }

    /// Finishes the mapping's interrupted sync if there is one, then syncs what changed since.
    ///
    /// Gives the syncs that ran, the newest last; what stopped a sync is in its record. `Err` means
    /// that nothing ran: another sync of the mapping does (`R407`), the month's usage is at its limit
    /// (`R405`), or the control database cannot be used.
    pub async fn sync(
        &self,
        jobs: &dyn Jobs,
        plan: Plan,
        approval: Approval,
        watch: &Watch,
    ) -> Result<Vec<SyncRecord>, Failure> {
        self.deliver(jobs, plan, SyncKind::Sync, approval, watch).await
    }

    /// Like [`Engine::sync`], but every record is sent again, whether or not it changed: an incremental
    /// model is read as a whole, and what was tracked before counts as updated. A record that is not
    /// delivered by it is found by the next sync. `R422` if the mapping sends no updates.
    pub async fn backfill(
        &self,
        jobs: &dyn Jobs,
        plan: Plan,
        approval: Approval,
        watch: &Watch,
    ) -> Result<Vec<SyncRecord>, Failure> {
        backfill::sends_again(&plan.mapping)?;
        self.deliver(jobs, plan, SyncKind::Backfill, approval, watch).await
    }

    async fn deliver(
        &self,
        jobs: &dyn Jobs,
        plan: Plan,
        kind: SyncKind,
        approval: Approval,
        watch: &Watch,
    ) -> Result<Vec<SyncRecord>, Failure> {
        let lock = self.lock_once_ended(&plan.name).await?;
        self.give_up_deleted(&plan.name).await?;
        let mut ran = Vec::from_iter(self.resume(jobs, &plan.name, &*lock, watch).await?);
        if watch.stop.is_cancelled() {
            return Ok(ran);
        }
        let affordable = self.affordable().await;
        if ran.is_empty() {
            affordable.clone()?;
        }
        let job = jobs.job(plan)?;
        let record = self.begin(&job, kind).await?;
        if let Err(failure) = affordable {
            // Something ran, so what did not is told beside it.
            ran.push(self.fail(record, failure).await?);
            return Ok(ran);
        }
        let span = trace::sync(&job.plan, &record);
        ran.push(trace::whole(span, self.extract_and_load(job, record, approval, watch)).await?);
        Ok(ran)
    }

    /// Takes today's checksums over as tracked without sending anything.
    pub async fn rebase(&self, jobs: &dyn Jobs, plan: Plan) -> Result<(SyncRecord, u64), Failure> {
        let _lock = self.lock_once_ended(&plan.name).await?;
        self.give_up_deleted(&plan.name).await?;
        let mut job = jobs.job(plan)?;
        let mut record = self.begin(&job, SyncKind::Rebase).await?;
        let span = trace::sync(&job.plan, &record);
        let taken_over = async {
            job.plan.columns = job.warehouse.columns(&job.query).await?;
            self.begin_anew(&job.plan.name, &*job.warehouse).await?;
            let tracked = job.warehouse.tracked(&job.plan.name).await?;
            job.plan.generation = backfill::generation(tracked.as_ref(), SyncKind::Rebase);
            job.warehouse.rebase(&job.diff_job(record.id, &self.limits)).await
        };
        match trace::within(span, taken_over).await {
            Ok(records) => {
                self.end(&mut record, Status::Succeeded).await?;
                Ok((record, records))
            }
            Err(failure) => Ok((self.fail(record, failure).await?, 0)),
        }
    }

    /// Forgets the tracked state of a mapping: the next sync sees every record as added. A sync
    /// that was interrupted is given up.
    pub async fn reset(&self, mapping: &str, warehouse: &dyn Warehouse) -> Result<(), Failure> {
        let _lock = self.lock_once_ended(mapping).await?;
        self.give_up(mapping, "the mapping was reset").await?;
        self.begin_anew(mapping, warehouse).await?;
        self.forget(mapping, warehouse).await
    }

    /// The right to sync a mapping. One whose sync has told its end is about to give it back: what is
    /// left is to drop the changes table.
    pub(crate) async fn lock_once_ended(&self, mapping: &str) -> Result<Box<dyn Lock>, Failure> {
        const TRIES: u32 = 100;
        const EACH: Duration = Duration::from_millis(50);
        let store = &self.ports.store;
        for _ in 1..TRIES {
            match store.lock(mapping).await {
                Err(failure)
                    if failure.code == Code::SyncRunning
                        && store.unfinished(mapping).await?.is_none() =>
                {
                    tokio::time::sleep(EACH).await;
                }
                tried => return tried,
            }
        }
        store.lock(mapping).await
    }

    /// Deletes the parts that are older than their retention.
    pub async fn purge(&self) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        let Ok(before) = now.checked_sub(self.limits.retention) else { return Ok(()) };
        for sync in self.ports.store.with_parts_before(before).await? {
            self.ports.parts.delete(sync).await?;
            self.ports.store.forget_parts(sync).await?;
        }
        Ok(())
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    async fn resume(
        &self,
        jobs: &dyn Jobs,
        mapping: &str,
        _lock: &dyn Lock,
        watch: &Watch,
    ) -> Result<Option<SyncRecord>, Failure> {
        let Some(record) = self.ports.store.unfinished(mapping).await? else { return Ok(None) };
        tracing::info!(sync.id = %record.id, mapping, status = record.status.as_str(), "resuming");
        let job = jobs.job(Plan::of(&record)?)?;
        let span = trace::sync(&job.plan, &record);
        Ok(Some(match record.kind {
            SyncKind::Sync | SyncKind::Backfill => {
                trace::whole(span, self.resume_sync(job, record, watch)).await?
            }
            SyncKind::Replay { of } => {
                trace::whole(span, self.load_replay(job, record, of, watch)).await?
            }
            SyncKind::Rebase => {
                self.fail(record, Failure::new(Code::Interrupted, "the rebase was interrupted"))
                    .await?
            }
        }))
    }

    pub(crate) async fn begin(&self, job: &Job, kind: SyncKind) -> Result<SyncRecord, Failure> {
        let record = SyncRecord {
            id: self.new_id(),
            mapping: job.plan.name.clone(),
            kind,
            status: Status::Extracting,
            plan: written(&job.plan),
            started_at: self.ports.clock.now(),
            finished_at: None,
            phases: Vec::new(),
            diff: None,
            staged: false,
            counts: ebb_core::Counts::default(),
            failure: None,
            cancellation: None,
            changes_dropped: !matches!(kind, SyncKind::Sync | SyncKind::Backfill),
            warnings: Vec::new(),
        };
        self.ports.store.save(&record).await?;
        Ok(record)
    }

    pub(crate) async fn fail(
        &self,
        mut record: SyncRecord,
        failure: Failure,
    ) -> Result<SyncRecord, Failure> {
        tracing::warn!(sync.id = %record.id, code = %failure.code, %failure, "sync ended early");
        record.failure = Some(failure);
        self.end(&mut record, Status::Failed).await?;
        Ok(record)
    }

    pub(crate) async fn end(&self, record: &mut SyncRecord, status: Status) -> Result<(), Failure> {
        record.status = status;
        record.finished_at = Some(self.ports.clock.now());
        self.ports.store.save(record).await
    }

    pub(crate) fn gate(&self, destination: &str, pace: Pace) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(destination.to_owned()).or_insert_with(|| Gate::new(pace)))
    }

    pub(crate) fn fork_random(&self) -> fastrand::Rng {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }

    pub(crate) fn new_id(&self) -> SyncId {
        let random = self.random.lock().unwrap_or_else(PoisonError::into_inner).u128(..);
        let now = self.ports.clock.now().as_millisecond();
        SyncId::from_parts(u64::try_from(now).unwrap_or_default(), random)
    }
}

/// The plan as the control database keeps it.
pub(crate) fn written(plan: &Plan) -> serde_json::Value {
    serde_json::to_value(plan).expect("a plan is made of text, numbers and lists")
}
