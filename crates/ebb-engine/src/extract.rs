//! The first half of a sync: what changed, and whether it may be sent.

use std::sync::Arc;

use ebb_core::{
    Code, Counts, Failure,
    port::{Action, Diff, Phase, Status, SyncKind, SyncRecord},
};
use tokio::time::Instant;

use crate::{Approval, Engine, Job, Watch, backfill, engine::written, guard, trace};

/// So many past syncs are looked at for a changes table that could not be dropped.
const LEFTOVERS: usize = 20;

impl Engine {
    /// Runs a new sync to its end. `Err` is kept for the control database: what goes wrong in the
    /// warehouse or at the destination is told by the sync's record.
    pub(crate) async fn extract_and_load(
        &self,
        mut job: Job,
        mut record: SyncRecord,
        approval: Approval,
        watch: &Watch,
    ) -> Result<SyncRecord, Failure> {
        watch.progress.begin();
        self.drop_leftovers(&job, &record).await?;
        let extract = self.extract(&mut job, &mut record, approval, watch);
        let (action, diff) = match trace::within(trace::diff(), extract).await {
            Ok(extracted) => extracted,
            Err(failure) => {
                let held = matches!(failure.code, Code::Held | Code::RecipeChanged);
                let status = if held { Status::Held } else { Status::Failed };
                record.failure = Some(failure);
                self.end(&mut record, status).await?;
                self.drop_changes(&job, &mut record).await?;
                return Ok(record);
            }
        };
        record.counts = extracted(&job, &diff);
        if diff.withheld > 0 {
            let warning = "records are gone while more rows have no identifier, so they stay tracked; \
                           mend the identifiers, or approve a sync, which deletes them";
            record.warnings.push((warning.to_owned(), diff.withheld));
        }
        if diff.not_finite > 0 {
            let warning = "values were NaN or infinite and became null".to_owned();
            record.warnings.push((warning, diff.not_finite));
        }
        record.diff = Some(diff);
        record.status = Status::Loading;
        self.ports.store.save(&record).await?;
        self.load_and_commit(job, record, action, watch).await
    }

    /// Goes on with a sync that was interrupted.
    pub(crate) async fn resume_sync(
        &self,
        job: Job,
        record: SyncRecord,
        watch: &Watch,
    ) -> Result<SyncRecord, Failure> {
        watch.progress.begin();
        let diff_job = self.diff_job(&job, &record);
        if record.diff.is_none() {
            // The diff may be half written: the next one finds the same changes.
            let interrupted = match record.kind {
                SyncKind::Backfill => {
                    let message = "the backfill was interrupted before it sent anything";
                    Failure::new(Code::Interrupted, message).help("Ask for the backfill again")
                }
                SyncKind::Sync | SyncKind::Replay { .. } | SyncKind::Rebase => {
                    Failure::new(Code::Interrupted, "the sync was interrupted while extracting")
                }
            };
            return self.fail(record, interrupted).await;
        }
        let tracked = job.warehouse.tracked(&job.plan.name).await?;
        if tracked.is_some_and(|tracked| tracked.sync == Some(record.id)) {
            return self.close(&job, record).await;
        }
        if !job.warehouse.has_changes(&diff_job).await? {
            let lost = "the sync was interrupted and its changes table is gone";
            return self.fail(record, Failure::new(Code::Interrupted, lost)).await;
        }
        let action = match job.action(&self.limits) {
            Ok(action) => action,
            Err(failure) => return self.fail(record, failure).await,
        };
        self.load_and_commit(job, record, action, watch).await
    }

    async fn extract(
        &self,
        job: &mut Job,
        record: &mut SyncRecord,
        approval: Approval,
        watch: &Watch,
    ) -> Result<(Arc<dyn Action>, Diff), Failure> {
        let began = Instant::now();
        let warehouse = &job.warehouse;
        // Who cannot reach the source at all wants to know at once; from here on it is waited for.
        job.plan.columns = warehouse.columns(&job.query).await?;
        let again = self.again(&watch.stop);
        let tracked = again.ask(|| warehouse.tracked(&job.plan.name)).await?;
        job.plan.generation = backfill::generation(tracked.as_ref(), record.kind);
        record.plan = written(&job.plan);
        // A mapping that does not compile must not cost a diff.
        let action = job.action(&self.limits)?;
        let mut diff_job = job.diff_job(record.id, &self.limits);
        diff_job.trust_deletes = approval == Approval::Approved;
        // A backfill sends everything again whoever made the checksums.
        if approval == Approval::Guarded && record.kind != SyncKind::Backfill {
            guard::recipe(tracked.as_ref(), &warehouse.recipe(&diff_job))?;
        }
        let diff = again.ask(|| warehouse.diff(&diff_job)).await?;
        trace::found(&diff);
        if approval == Approval::Guarded {
            guard::after_diff(&diff, job.plan.mapping.guards)?;
        }
        record.phases.push(phase("diff", began));
        tracing::info!(
            sync.id = %record.id, added = diff.changes.added, updated = diff.changes.updated,
            deleted = diff.changes.deleted, "diffed",
        );
        Ok((action, diff))
    }

    /// Drops the changes tables of syncs that ended without being able to.
    async fn drop_leftovers(&self, job: &Job, record: &SyncRecord) -> Result<(), Failure> {
        for mut past in self.ports.store.syncs(Some(&job.plan.name), LEFTOVERS).await? {
            if past.id != record.id && !past.changes_dropped {
                self.drop_changes(job, &mut past).await?;
            }
        }
        Ok(())
    }

    /// Drops a sync's changes table, after the control database knows how the sync ended. If the
    /// warehouse cannot, the mapping's next sync tries again.
    pub(crate) async fn drop_changes(
        &self,
        job: &Job,
        record: &mut SyncRecord,
    ) -> Result<(), Failure> {
        match job.warehouse.finish(&self.diff_job(job, record)).await {
            Ok(()) => {
                record.changes_dropped = true;
                self.ports.store.save(record).await
            }
            Err(failure) => {
                tracing::debug!(sync.id = %record.id, %failure, "changes table not dropped");
                Ok(())
            }
        }
    }

    pub(crate) fn diff_job(&self, job: &Job, record: &SyncRecord) -> ebb_core::port::DiffJob {
        job.diff_job(record.id, &self.limits)
    }
}

/// What a diff gives this mapping to do. Rows without a usable identifier count as extracted and
/// discarded at once.
fn extracted(job: &Job, diff: &Diff) -> Counts {
    let mut counts = Counts::default();
    for operation in ebb_core::Operation::ALL {
        let changes = diff.changes.get(operation);
        if job.plan.mapping.records.takes(operation) {
            *counts.extracted.of(operation) = changes;
        } else {
            *counts.not_subscribed.of(operation) = changes;
        }
    }
    counts
}

/// A phase that began then and ends now.
pub(crate) fn phase(name: &str, began: Instant) -> Phase {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Phase { name: name.to_owned(), millis }
}
