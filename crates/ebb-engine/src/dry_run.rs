//! What a sync would do, without doing it.

use std::{sync::Arc, time::Duration};

use ebb_core::{
    Code, Failure, RecordSet, Remedy,
    port::{Batch, Diff, DiffJob, ItemBuffer, ShownRequest, Step, SyncKind, Tracked},
};
use futures_util::TryStreamExt;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::{Engine, Job, backfill, guard, load::Batcher};

/// What a sync would do now.
#[derive(Debug, Serialize)]
pub struct DryRun {
    /// What the diff found.
    pub diff: Diff,
    /// How the checksums' recipe differs from the one of the tracked state, if it does. All records
    /// that it touches count as updated and would be sent again.
    pub recipe_changed: Option<String>,
    /// Why the sync would be held, if it would.
    pub held: Option<Failure>,
    /// The exact requests of the first records, secrets replaced.
    pub batches: Vec<ShownBatch>,
    /// Records among the first ones that would be discarded, and why.
    pub rejected: Vec<(String, Failure)>,
}

/// The first requests of one batch. Later ones may depend on the answers.
#[derive(Debug, Serialize)]
pub struct ShownBatch {
    /// The records in it.
    pub record_ids: Vec<String>,
    /// What would be sent.
    pub requests: Vec<ShownRequest>,
}

impl Engine {
    /// Diffs, shows the requests of the first `show` subscribed changes, and forgets the diff.
    pub async fn dry_run(&self, mut job: Job, show: usize) -> Result<DryRun, Failure> {
        let warehouse = Arc::clone(&job.warehouse);
        job.plan.columns = warehouse.columns(&job.query).await?;
        let tracked = warehouse.tracked(&job.plan.name).await?;
        job.plan.generation = backfill::generation(tracked.as_ref(), SyncKind::Sync);
        let diff_job = job.diff_job(self.new_id(), &self.limits);
        let result = self.show(&job, &diff_job, tracked, show).await;
        let finished = warehouse.finish(&diff_job).await;
        let shown = result?;
        finished.map(|()| shown)
    }

    /// Counts what the next sync would find, and forgets it. Fails with `S106` if the source takes longer.
    pub async fn count(&self, mut job: Job, longest: Duration) -> Result<Diff, Failure> {
        let warehouse = Arc::clone(&job.warehouse);
        let late = |_| {
            let message = format!("counting takes longer than {} s", longest.as_secs());
            Failure::new(Code::SourceTimeout, message)
                .help("Save without knowing the number, or make the query cheaper")
        };
        let began = Instant::now();
        let tracked = timeout(longest, async {
            job.plan.columns = warehouse.columns(&job.query).await?;
            warehouse.tracked(&job.plan.name).await
        });
        let tracked = tracked.await.map_err(late)??;
        job.plan.generation = backfill::generation(tracked.as_ref(), SyncKind::Sync);
        let diff_job = job.diff_job(self.new_id(), &self.limits);
        let left = longest.saturating_sub(began.elapsed());
        let diff = timeout(left, warehouse.diff(&diff_job)).await.map_err(late);
        // What was cut may have left a table, too.
        let finished = warehouse.finish(&diff_job).await;
        let diff = diff??;
        finished.map(|()| diff)
    }

    async fn show(
        &self,
        job: &Job,
        diff_job: &DiffJob,
        tracked: Option<Tracked>,
        show: usize,
    ) -> Result<DryRun, Failure> {
        let action = job.action(&self.limits)?;
        let recipe = job.warehouse.recipe(diff_job);
        let diff = job.warehouse.diff(diff_job).await?;
        let held = guard::recipe(tracked.as_ref(), &recipe)
            .and_then(|()| guard::after_diff(&diff, job.plan.mapping.guards))
            .err();
        let recipe_changed = tracked.map(|tracked| tracked.recipe).and_then(|old| {
            let columns = changed_columns(&old.columns, &recipe.columns);
            (old != recipe).then(|| {
                if columns.is_empty() {
                    format!("`{}` became `{}`", old.version, recipe.version)
                } else {
                    format!("columns changed: {}", columns.join(", "))
                }
            })
        });
        let mut plan =
            DryRun { diff, recipe_changed, held, batches: Vec::new(), rejected: Vec::new() };
        let operations: Vec<_> = job.plan.mapping.records.operations().collect();
        let mut stream = job.warehouse.changes(diff_job, &operations, None).await?;
        let synced_at: Arc<str> = self.ports.clock.now().to_string().into();
        let mut batcher = Batcher::new(action.batching());
        let (mut ready, mut buffer) = (Vec::new(), ItemBuffer::default());
        let mut sets = Vec::new();
        let mut left = show;
        while left > 0 {
            let Some(rows) = stream.try_next().await? else { break };
            let rows = rows.slice(0, rows.num_rows().min(left));
            left -= rows.num_rows();
            let set = RecordSet::new(&rows, job.plan.name.as_str().into(), Arc::clone(&synced_at))?;
            for record in set.iter() {
                match action.prepare(&record, &mut buffer) {
                    Ok(item) => batcher.add(item, &mut ready),
                    Err(failure) if failure.remedy() == Remedy::RejectRow => {
                        plan.rejected.push((record.record_id().to_owned(), failure));
                    }
                    Err(failure) => return Err(failure),
                }
            }
            sets.push(set);
        }
        ready.extend(batcher.flush());
        for batch in ready {
            let requests = match action.next(&batch, &[])? {
                Step::Send(requests) => requests,
                Step::Done(_) | Step::Refused(_) => Vec::new(),
            };
            let redactor = job.delivery.redactor();
            plan.batches.push(ShownBatch {
                record_ids: record_ids(&sets, &batch),
                requests: requests.iter().map(|request| request.shown(redactor)).collect(),
            });
        }
        Ok(plan)
    }
}

fn record_ids(sets: &[RecordSet], batch: &Batch) -> Vec<String> {
    let record = |seq| sets.iter().find_map(|set| set.find(seq));
    let ids = batch.items.iter().filter_map(|item| record(item.seq));
    ids.map(|record| record.record_id().to_owned()).collect()
}

fn changed_columns(old: &[String], new: &[String]) -> Vec<String> {
    let gone =
        old.iter().filter(|column| !new.contains(column)).map(|column| format!("-`{column}`"));
    let come =
        new.iter().filter(|column| !old.contains(column)).map(|column| format!("+`{column}`"));
    gone.chain(come).collect()
}
