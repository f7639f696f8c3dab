//! Every record that a sync did not deliver, and why: a piece at a time, however many they are.
//!
//! The control database has the places of the failed changes, and the parts have the identifiers at these
//! places. Where either is missing, the samples stand for what is known, and a number for the rest.

use std::{collections::VecDeque, sync::Arc};

use arrow_array::RecordBatch;
use ebb_core::{
    Code, Failure, RecordSet, SyncId,
    port::{Diff, FailureGroup, PartInfo, Parts, Reason, Sample, SyncRecord, Verdict},
};
use roaring::RoaringTreemap;

use crate::{Engine, journey::parts_of};

/// A record that was not delivered, or several of which the number alone is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Undelivered {
    /// Why.
    pub failure: Arc<Failure>,
    /// Whether it is tried again.
    pub verdict: Verdict,
    /// How many records this is about.
    pub records: u64,
    /// The record's identifier; `None` where only the number is known.
    pub record_id: Option<String>,
    /// What was sent and answered, for the first few records of each reason.
    pub sample: Option<Sample>,
}

/// Reads what a sync did not deliver.
pub struct Undeliveries {
    files: Arc<dyn Parts>,
    of: SyncId,
    parts: VecDeque<PartInfo>,
    batches: VecDeque<RecordBatch>,
    delivered: RoaringTreemap,
    causes: Vec<Cause>,
    /// Whether the last of the causes is that of every change without an outcome.
    some_not_sent: bool,
}

/// A reason, and how many of its records were told.
struct Cause {
    failure: Arc<Failure>,
    verdict: Verdict,
    records: u64,
    told: u64,
    samples: Vec<Sample>,
    seqs: RoaringTreemap,
}

impl Engine {
    /// What a sync did not deliver, in the order of its changes, then what is known by number alone.
    pub async fn undelivered(&self, sync: &SyncRecord) -> Result<Undeliveries, Failure> {
        let store = &self.ports.store;
        let reasons = store.reasons(sync.id).await?;
        let placed = reasons.iter().all(|Reason { group, seqs }| group.count == seqs.len());
        let of_diff = sync.diff.iter().flat_map(Diff::failure_groups);
        let of_diff = of_diff.map(|group| Reason { group, seqs: RoaringTreemap::new() });
        let mut causes: Vec<Cause> = of_diff.chain(reasons).map(Cause::new).collect();
        let known: u64 = causes.iter().map(|cause| cause.records).sum();
        let all = sync.counts.failed.total() + sync.counts.discarded.total();
        let not_sent = if sync.status.is_final() { all.saturating_sub(known) } else { 0 };
        if not_sent > 0 {
            causes.push(Cause::not_sent(sync, not_sent));
        }
        let of = parts_of(sync);
        // Without the places, what failed cannot be told from what was not sent.
        let parts = if placed { store.parts(of).await? } else { Vec::new() };
        Ok(Undeliveries {
            files: Arc::clone(&self.ports.parts),
            of,
            parts: parts.into(),
            batches: VecDeque::new(),
            delivered: store.outcomes(sync.id).await?.delivered,
            causes,
            some_not_sent: not_sent > 0,
        })
    }
}

impl Undeliveries {
    /// The next records, some thousand at most; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Undelivered>>, Failure> {
        loop {
            if let Some(batch) = self.batches.pop_front() {
                let found = self.of_batch(&batch)?;
                if !found.is_empty() {
                    return Ok(Some(found));
                }
                tokio::task::yield_now().await;
            } else if let Some(part) = self.parts.pop_front() {
                if !self.is_delivered(&part) {
                    self.batches = self.files.get(self.of, &part).await?.into();
                }
            } else {
                let rest: Vec<_> =
                    std::mem::take(&mut self.causes).into_iter().flat_map(Cause::rest).collect();
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }

    /// Whether nothing of a part failed.
    fn is_delivered(&self, part: &PartInfo) -> bool {
        let before = part.first.checked_sub(1).map_or(0, |seq| self.delivered.rank(seq));
        self.delivered.rank(part.last) - before == part.changes.total()
    }

    fn of_batch(&mut self, batch: &RecordBatch) -> Result<Vec<Undelivered>, Failure> {
        let set = RecordSet::new(batch, Arc::from(""), Arc::from(""))?;
        let mut found = Vec::new();
        for record in set.iter().filter(|record| !self.delivered.contains(record.seq())) {
            let seq = record.seq();
            let place = self.causes.iter().position(|cause| cause.seqs.contains(seq));
            let cause = match place {
                Some(place) => self.causes.get_mut(place),
                None => self.causes.last_mut().filter(|_| self.some_not_sent),
            };
            // What has no outcome in a sync that runs is on its way.
            let Some(cause) = cause else { continue };
            found.push(cause.tell(record.record_id()));
        }
        Ok(found)
    }
}

impl Cause {
    fn new(Reason { group, seqs }: Reason) -> Self {
        let FailureGroup { failure, verdict, count, samples } = group;
        Self { failure: Arc::new(failure), verdict, records: count, told: 0, samples, seqs }
    }

    /// Of changes that were not sent, because the sync ended before.
    fn not_sent(sync: &SyncRecord, records: u64) -> Self {
        let failure = match (&sync.failure, &sync.cancellation) {
            (Some(failure), _) => {
                failure.clone().map_message(|message| format!("it was not sent: {message}"))
            }
            (None, Some(cancellation)) => Failure::new(
                Code::Canceled,
                format!("it was not sent: the sync was {}", cancellation.told()),
            ),
            (None, None) => Failure::new(Code::Canceled, "it was not sent: the sync ended before"),
        };
        let group =
            FailureGroup { failure, verdict: Verdict::Failed, count: records, samples: Vec::new() };
        Self::new(Reason { group, seqs: RoaringTreemap::new() })
    }

    fn tell(&mut self, record_id: &str) -> Undelivered {
        self.told += 1;
        let sample = self.samples.iter().find(|sample| sample.record_id == record_id);
        self.about(1, Some(record_id.to_owned()), sample.cloned())
    }

    /// The records that were not told: samples, if those are all that is known, and a number.
    fn rest(mut self) -> Vec<Undelivered> {
        let samples = std::mem::take(&mut self.samples);
        let samples = if self.told == 0 { samples } else { Vec::new() };
        let left = self.records.saturating_sub(self.told + samples.len() as u64);
        let mut rest: Vec<_> = samples
            .into_iter()
            .map(|sample| self.about(1, Some(sample.record_id.clone()), Some(sample)))
            .collect();
        if left > 0 {
            rest.push(self.about(left, None, None));
        }
        rest
    }

    fn about(
        &self,
        records: u64,
        record_id: Option<String>,
        sample: Option<Sample>,
    ) -> Undelivered {
        let (failure, verdict) = (Arc::clone(&self.failure), self.verdict);
        Undelivered { failure, verdict, records, record_id, sample }
    }
}
