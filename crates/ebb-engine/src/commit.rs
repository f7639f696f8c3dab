//! The second half of a sync: deliver, take the outcomes over, close.

use std::sync::{Arc, Mutex, PoisonError};

use ebb_core::{
    Code, Counts, Failure, Operation, PartNumber, SyncId,
    port::{Action, Commit, Outcomes, PartInfo, Status, SyncRecord},
};
use roaring::RoaringTreemap;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Engine, Job, Watch,
    changes::Changes,
    extract::phase,
    load::{Courier, load},
    stage::{CompleteOnDrop, Shelf, Staging},
    trace,
};

/// How often a running sync asks whether somebody canceled it.
const CANCEL_POLL: std::time::Duration = std::time::Duration::from_millis(500);

/// How loading ended.
pub(crate) struct Loaded {
    pub(crate) failure: Option<Failure>,
    pub(crate) canceled: bool,
}

impl Engine {
    /// Stages and delivers what is not yet, then commits.
    pub(crate) async fn load_and_commit(
        &self,
        job: Job,
        mut record: SyncRecord,
        action: Arc<dyn Action>,
        watch: &Watch,
    ) -> Result<SyncRecord, Failure> {
        let began = Instant::now();
        let parts = self.ports.store.parts(record.id).await?;
        let shelf = Arc::new(Shelf::with(parts.clone(), record.staged));
        watch.progress.loading(record.counts.extracted.total());
        let courier = self.courier(&job, &record, record.id, action, watch).await?;
        let nothing = record.counts.extracted.total() == 0;
        let ending = if nothing {
            record.staged = true;
            Loaded { failure: None, canceled: false }
        } else {
            let stage = self.stage(&job, &mut record, &parts, &shelf, &courier);
            let load = async { load(&courier, &shelf).await };
            let (staged, ending) =
                tokio::join!(stage, self.watched(courier.sync, &courier, load, &watch.stop));
            ending?.or(staged)
        };
        record.phases.push(phase("load", began));
        let began = Instant::now();
        watch.progress.committing();
        record.status = Status::Committing;
        record.failure.clone_from(&ending.failure);
        self.ports.store.save(&record).await?;
        let outcomes = self.ports.store.outcomes(record.id).await?;
        let commit = self.commit_of(&job, &record, &outcomes).await?;
        let again = self.again(&watch.stop);
        let committed = again.ask(|| job.warehouse.commit(&commit));
        let span = trace::commit(&commit, &outcomes);
        if let Err(failure) = trace::within(span, committed).await {
            // What was delivered is journaled: the next start commits it.
            tracing::warn!(sync.id = %record.id, %failure, "commit failed");
            return Err(failure);
        }
        record.phases.push(phase("commit", began));
        record.status = ending.status();
        self.close(&job, record).await
    }

    /// Everything is committed: settles counts, status and attempts, and drops the changes table.
    pub(crate) async fn close(
        &self,
        job: &Job,
        mut record: SyncRecord,
    ) -> Result<SyncRecord, Failure> {
        let store = &self.ports.store;
        let journaled = store.sync(record.id).await?.counts;
        record.counts = settled(journaled, &record);
        let whole = record.counts.failed.total() == 0 && record.counts.discarded.total() == 0;
        let status = if record.failure.is_some() {
            Status::Failed
        } else if record.status == Status::Canceled {
            Status::Canceled
        } else if whole {
            Status::Succeeded
        } else {
            Status::Partial
        };
        if !matches!(status, Status::Failed | Status::Canceled) {
            store.settle_attempts(&record.mapping, record.id).await?;
        }
        self.end(&mut record, status).await?;
        self.drop_changes(job, &mut record).await?;
        tracing::info!(
            sync.id = %record.id, status = status.as_str(),
            delivered = record.counts.delivered.total(), failed = record.counts.failed.total(),
            discarded = record.counts.discarded.total(), "sync ended",
        );
        Ok(record)
    }

    async fn stage(
        &self,
        job: &Job,
        record: &mut SyncRecord,
        parts: &[PartInfo],
        shelf: &Arc<Shelf>,
        courier: &Arc<Courier>,
    ) -> Option<Failure> {
        let _complete = CompleteOnDrop(Arc::clone(shelf));
        if record.staged {
            return None;
        }
        let began = Instant::now();
        let diff_job = self.diff_job(job, record);
        let operations: Vec<Operation> = job.plan.mapping.records.operations().collect();
        let again = self.again(&courier.stop);
        let after = parts.last().map(|part| part.last);
        let changes = Changes::new(&*job.warehouse, &diff_job, &operations, after, &again);
        let staging = Staging {
            parts: &*self.ports.parts,
            store: &*self.ports.store,
            sync: record.id,
            progress: &courier.progress,
            size: self.tuning.part_size,
        };
        let number = PartNumber::try_from(parts.len()).unwrap_or(PartNumber::MAX);
        let staged = staging.run(changes, number, shelf, &courier.stop);
        match trace::within(trace::stage(), staged).await {
            Ok(complete) => {
                record.staged = complete;
                record.phases.push(phase("stage", began));
                None
            }
            // The parts that are staged are loaded all the same; the rest is found by the next diff.
            Err(failure) => Some(failure),
        }
    }

    /// Loads, while looking for a person who wants it to end.
    pub(crate) async fn watched(
        &self,
        sync: SyncId,
        courier: &Courier,
        load: impl Future<Output = Result<(), Failure>>,
        stop: &CancellationToken,
    ) -> Result<Loaded, Failure> {
        let watch = async {
            loop {
                tokio::time::sleep(CANCEL_POLL).await;
                if self.ports.store.cancel_requested(sync).await.unwrap_or(false) {
                    courier.stop.cancel();
                    std::future::pending::<()>().await;
                }
            }
        };
        let ended = tokio::select! {
            ended = load => ended,
            () = watch => Ok(()),
        };
        let failure = courier.halted.lock().unwrap_or_else(PoisonError::into_inner).take();
        let canceled = failure.is_none()
            && (stop.is_cancelled() || self.ports.store.cancel_requested(sync).await?);
        match ended {
            Ok(()) => Ok(Loaded { failure, canceled }),
            Err(error) if error.code == Code::PartDamaged => {
                Ok(Loaded { failure: Some(error), canceled: false })
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn courier(
        &self,
        job: &Job,
        record: &SyncRecord,
        parts_of: SyncId,
        action: Arc<dyn Action>,
        watch: &Watch,
    ) -> Result<Arc<Courier>, Failure> {
        let outcomes = self.ports.store.outcomes(record.id).await?;
        let original = if parts_of == record.id {
            record.started_at
        } else {
            self.ports.store.sync(parts_of).await?.started_at
        };
        watch.progress.outcomes(
            outcomes.delivered.len(),
            outcomes.failed.len(),
            outcomes.discarded.len(),
        );
        let transport = job.delivery.transport();
        let gate = self.gate(&job.plan.mapping.destination, transport.pace());
        Ok(Arc::new(Courier {
            sync: record.id,
            parts_of,
            mapping: record.mapping.as_str().into(),
            synced_at: original.to_string().into(),
            action,
            transport,
            redactor: job.delivery.redactor().clone(),
            store: Arc::clone(&self.ports.store),
            parts: Arc::clone(&self.ports.parts),
            clock: Arc::clone(&self.ports.clock),
            gate,
            allowance: self.allowance(record.started_at).await?,
            limits: self.limits.clone(),
            retries: self.tuning.retries,
            done: outcomes.delivered | outcomes.failed | outcomes.discarded,
            progress: Arc::clone(&watch.progress),
            stop: watch.stop.child_token(),
            halted: Mutex::default(),
            failures_in_a_row: 0.into(),
            random: Mutex::new(self.fork_random()),
        }))
    }

    /// What goes back to the warehouse: the smaller of what is settled and what is not. Only when
    /// everything is staged is it known which changes there are; otherwise what is settled is told.
    async fn commit_of(
        &self,
        job: &Job,
        record: &SyncRecord,
        outcomes: &Outcomes,
    ) -> Result<Commit, Failure> {
        let settled = &outcomes.delivered | &outcomes.discarded;
        let last = self.ports.store.parts(record.id).await?.last().map(|part| part.last);
        let (seqs, inverted) = match last {
            _ if record.counts.extracted.total() == settled.len() => (RoaringTreemap::new(), false),
            Some(last) if record.staged => {
                // Holes in the sequence belong to operations that are not subscribed to.
                let mut open = RoaringTreemap::new();
                open.insert_range(0..=last);
                let open = open - &settled;
                if open.len() <= settled.len() { (open, false) } else { (settled, true) }
            }
            Some(_) | None => (settled, true),
        };
        let subscribed = job.plan.mapping.records.operations().collect();
        Ok(Commit { job: self.diff_job(job, record), seqs, inverted, subscribed })
    }
}

impl Loaded {
    fn or(self, staging: Option<Failure>) -> Self {
        Self { failure: self.failure.or(staging), canceled: self.canceled }
    }

    pub(crate) fn status(&self) -> Status {
        match (&self.failure, self.canceled) {
            (Some(_), _) => Status::Failed,
            (None, true) => Status::Canceled,
            (None, false) => Status::Succeeded,
        }
    }
}

/// The final counts: rows without a usable identifier are discarded, and what has no outcome was
/// not sent, so it failed (I5).
pub(crate) fn settled(journaled: Counts, record: &SyncRecord) -> Counts {
    let mut counts = journaled;
    for operation in Operation::ALL {
        let known = counts.delivered.get(operation)
            + counts.failed.get(operation)
            + counts.discarded.get(operation);
        *counts.failed.of(operation) += counts.extracted.get(operation).saturating_sub(known);
    }
    if let Some(diff) = &record.diff {
        let discarded = &diff.discarded;
        for tally in [&mut counts.extracted, &mut counts.discarded] {
            tally.added += discarded.null;
            *tally += discarded.duplicates;
        }
    }
    counts
}
