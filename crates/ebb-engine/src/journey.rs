//! One record's way through the past syncs of a mapping.

use std::sync::Arc;

use ebb_core::{
    Failure, Operation, RecordSet, Redactor, SyncId,
    port::{Sample, SyncKind, SyncRecord, Verdict},
};

use crate::{
    Engine,
    load::{SAMPLE_BYTES, cut},
};

/// Syncs that are looked at, the newest first.
const SYNCS: usize = 100;
/// Changes that are looked through before it is left at that.
const CHANGES: u64 = 5_000_000;

/// What became of a record.
#[derive(Debug)]
pub struct Journey {
    /// The syncs in which it was a change, the newest first.
    pub steps: Vec<JourneyStep>,
    /// The syncs that were looked through.
    pub looked_at: usize,
    /// Whether there are older syncs, or ones whose changes are no longer kept.
    pub more: bool,
}

/// What became of a record in one sync.
#[derive(Debug)]
pub struct JourneyStep {
    /// The sync.
    pub sync: SyncRecord,
    /// What had happened to it; `None` if its row was discarded by the diff.
    pub operation: Option<Operation>,
    /// Its columns as they were, as JSON without secrets; empty if its row was discarded by the diff.
    pub values: String,
    /// What became of it; `None` while nothing has.
    pub verdict: Option<Verdict>,
    /// Why it was not delivered, with the request and the answer where they are kept: of each reason the
    /// first few are.
    pub failure: Option<(Failure, Sample)>,
}

impl Engine {
    /// Looks a record up in the past syncs of its mapping, as far as their changes are kept.
    pub async fn journey(
        &self,
        mapping: &str,
        record_id: &str,
        redactor: &Redactor,
    ) -> Result<Journey, Failure> {
        let syncs = self.ports.store.syncs(Some(mapping), SYNCS + 1).await?;
        let mut journey = Journey { steps: Vec::new(), looked_at: 0, more: syncs.len() > SYNCS };
        let mut left = CHANGES;
        for sync in syncs.into_iter().take(SYNCS) {
            let changes = sync.counts.extracted.total();
            if changes > left {
                journey.more = true;
                break;
            }
            left -= changes;
            journey.looked_at += 1;
            journey.more |=
                changes > 0 && self.ports.store.parts(parts_of(&sync)).await?.is_empty();
            if let Some(step) = self.step(sync, record_id, redactor).await? {
                journey.steps.push(step);
            }
        }
        Ok(journey)
    }

    async fn step(
        &self,
        sync: SyncRecord,
        record_id: &str,
        redactor: &Redactor,
    ) -> Result<Option<JourneyStep>, Failure> {
        let groups = sync.diff.iter().flat_map(ebb_core::port::Diff::failure_groups);
        let groups: Vec<_> =
            groups.chain(self.ports.store.failure_groups(sync.id).await?).collect();
        let failure = groups.iter().find_map(|group| {
            let sample = group.samples.iter().find(|sample| sample.record_id == record_id)?;
            Some((group.failure.clone(), sample.clone()))
        });
        let Some((seq, operation, values)) = self.change(&sync, record_id).await? else {
            // A row that the diff discarded is in no part.
            let found = failure.map(|failure| JourneyStep {
                sync,
                operation: None,
                values: String::new(),
                verdict: Some(Verdict::Discarded),
                failure: Some(failure),
            });
            return Ok(found);
        };
        let outcomes = self.ports.store.outcomes(sync.id).await?;
        let of = [
            (Verdict::Delivered, &outcomes.delivered),
            (Verdict::Failed, &outcomes.failed),
            (Verdict::Discarded, &outcomes.discarded),
        ];
        let known = of.into_iter().find(|(_, seqs)| seqs.contains(seq)).map(|(verdict, _)| verdict);
        // What has no outcome when its sync has ended was not sent.
        let verdict = known.or_else(|| sync.status.is_final().then_some(Verdict::Failed));
        let values = cut(redactor.redact(&values), SAMPLE_BYTES);
        Ok(Some(JourneyStep { sync, operation: Some(operation), values, verdict, failure }))
    }

    /// A record's change in a sync: its place, its operation, its columns.
    async fn change(
        &self,
        sync: &SyncRecord,
        record_id: &str,
    ) -> Result<Option<(u64, Operation, String)>, Failure> {
        let of = parts_of(sync);
        for part in self.ports.store.parts(of).await? {
            for batch in self.ports.parts.get(of, &part).await? {
                let set = RecordSet::new(&batch, Arc::from(""), Arc::from(""))?;
                if let Some(record) = set.iter().find(|record| record.record_id() == record_id) {
                    let values = record.properties().to_json();
                    return Ok(Some((record.seq(), record.operation(), values)));
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }
}

/// Whose parts a sync delivers.
pub(crate) const fn parts_of(sync: &SyncRecord) -> SyncId {
    match sync.kind {
        SyncKind::Replay { of } => of,
        SyncKind::Sync | SyncKind::Backfill | SyncKind::Rebase => sync.id,
    }
}
