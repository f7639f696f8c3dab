//! A past sync's changes once more, from its parts.

use std::sync::Arc;

use ebb_core::{
    Code, Failure, SyncId, Tally,
    port::{Status, SyncKind, SyncRecord},
};
use tokio::time::Instant;

use crate::{
    Engine, Jobs, Plan, Watch, commit::settled, extract::phase, load::load, stage::Shelf, trace,
};

impl Engine {
    /// Delivers a past sync's changes again, as its mapping and model were then. The tracked state
    /// stays as it is. `Err` means that nothing ran.
    pub async fn replay(
        &self,
        jobs: &dyn Jobs,
        of: SyncId,
        watch: &Watch,
    ) -> Result<SyncRecord, Failure> {
        let past = self.ports.store.sync(of).await?;
        let of = match past.kind {
            SyncKind::Sync | SyncKind::Backfill | SyncKind::Rebase => of,
            SyncKind::Replay { of } => of,
        };
        let _lock = self.lock_once_ended(&past.mapping).await?;
        let expired =
            past.counts.extracted.total() > 0 && self.ports.store.parts(of).await?.is_empty();
        if expired {
            let message = format!("the parts of sync `{of}` are no longer kept");
            return Err(Failure::new(Code::PartsExpired, message));
        }
        self.affordable().await?;
        let job = jobs.job(Plan::of(&past)?)?;
        let record = self.begin(&job, SyncKind::Replay { of }).await?;
        let span = trace::sync(&job.plan, &record);
        trace::whole(span, self.load_replay(job, record, of, watch)).await
    }

    pub(crate) async fn load_replay(
        &self,
        job: crate::Job,
        mut record: SyncRecord,
        of: SyncId,
        watch: &Watch,
    ) -> Result<SyncRecord, Failure> {
        watch.progress.begin();
        let action = match job.action(&self.limits) {
            Ok(action) => action,
            Err(failure) => return self.fail(record, failure).await,
        };
        let parts = self.ports.store.parts(of).await?;
        record.counts.extracted = Tally::default();
        for part in &parts {
            record.counts.extracted += part.changes;
        }
        record.status = Status::Loading;
        self.ports.store.save(&record).await?;
        let extracted = record.counts.extracted.total();
        watch.progress.loading(extracted);
        watch.progress.staged(extracted);
        let began = Instant::now();
        let courier = self.courier(&job, &record, of, action, watch).await?;
        let shelf = Arc::new(Shelf::with(parts, true));
        let ending = self.watched(record.id, &courier, load(&courier, &shelf), &watch.stop).await?;
        record.phases.push(phase("load", began));
        record.counts = settled(self.ports.store.sync(record.id).await?.counts, &record);
        let whole = record.counts.failed.total() + record.counts.discarded.total() == 0;
        let ended = ending.status();
        let status = if ended == Status::Succeeded && !whole { Status::Partial } else { ended };
        record.failure = ending.failure;
        self.end(&mut record, status).await?;
        Ok(record)
    }
}
