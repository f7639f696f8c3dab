//! Brings batches to the destination, each until every item has an outcome.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use ebb_core::{
    Failure, Limits, PartNumber, Record, RecordSet, Redactor, Remedy, SyncId,
    port::{
        Action, Batch, Clock, Exchange, JournalEntry, Parts, Reply, Request, Step, Store,
        Transport, Verdict,
    },
};
use roaring::RoaringTreemap;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{
    Gate,
    gate::{Permit, Signal},
    judge::{Endurance, Judge},
};
use crate::{Progress, Retries, allowance::Allowance, trace::Tries};

/// So many batches in a row that fail after all their tries mean that the destination is down.
const PATIENCE: u32 = 8;

/// A part in memory.
pub(crate) struct LoadedPart {
    pub(crate) number: PartNumber,
    pub(crate) sets: Vec<RecordSet>,
}

impl LoadedPart {
    /// The record of a `seq`.
    pub(crate) fn record(&self, seq: u64) -> Option<Record<'_>> {
        self.sets.iter().find_map(|set| set.find(seq))
    }
}

/// A batch on its way, with the part that its records are in.
pub(crate) struct Cargo {
    pub(crate) part: Arc<LoadedPart>,
    pub(crate) batch: Batch,
}

/// Everything that the tasks of one sync's loading share.
pub(crate) struct Courier {
    pub(crate) sync: SyncId,
    /// The sync whose parts are loaded: another one for a replay.
    pub(crate) parts_of: SyncId,
    pub(crate) mapping: Arc<str>,
    pub(crate) synced_at: Arc<str>,
    pub(crate) action: Arc<dyn Action>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) redactor: Redactor,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) parts: Arc<dyn Parts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gate: Arc<Gate>,
    /// What may be sent in the month in which the sync began, if that is limited.
    pub(crate) allowance: Option<Arc<Allowance>>,
    pub(crate) limits: Limits,
    pub(crate) retries: Retries,
    /// Changes that have an outcome from an earlier run.
    pub(crate) done: RoaringTreemap,
    pub(crate) progress: Arc<Progress>,
    /// Cancelled by a person, or by [`Courier::halt`].
    pub(crate) stop: CancellationToken,
    pub(crate) halted: Mutex<Option<Failure>>,
    pub(crate) failures_in_a_row: AtomicU32,
    pub(crate) random: Mutex<fastrand::Rng>,
}

/// What became of one try of a batch.
enum Tried {
    /// One answer for each item.
    Judged(Vec<Result<(), Failure>>),
    /// Nothing is known of any item.
    Refused(Failure),
    /// The same, because this request got no answer.
    Unanswered(Request, Failure),
}

impl Courier {
    /// Waits for a place in the window; `None` once loading stops.
    pub(crate) async fn admit(&self) -> Option<Permit> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            permit = self.gate.enter() => Some(permit),
        }
    }

    /// Takes a batch's records from what may be sent. Where that is less, loading stops, and the records that
    /// may not are left to the next sync.
    pub(crate) fn afford(&self, mut cargo: Cargo) -> Option<Cargo> {
        let Some(allowance) = &self.allowance else { return Some(cargo) };
        let items = &mut cargo.batch.items;
        let granted = usize::try_from(allowance.take(items.len() as u64)).unwrap_or(usize::MAX);
        if granted < items.len() {
            self.halt(allowance.exhausted(self.clock.now()));
            items.truncate(granted);
        }
        (!items.is_empty()).then_some(cargo)
    }

    /// Stops loading because of a failure that concerns more than some records. The first one
    /// counts.
    pub(crate) fn halt(&self, failure: Failure) {
        let mut halted = self.halted.lock().unwrap_or_else(PoisonError::into_inner);
        halted.get_or_insert(failure.map_message(|message| self.redactor.redact(&message)));
        self.stop.cancel();
    }

    /// Delivers a batch. The permit is held until the outcomes are journaled, so a batch counts as
    /// in flight exactly as long as a kill could make it go out twice.
    pub(crate) async fn deliver(
        self: Arc<Self>,
        cargo: Cargo,
        permit: Permit,
        span: Span,
    ) -> Result<(), Failure> {
        let Cargo { part, batch } = cargo;
        let taken = batch.items.len() as u64;
        let mut entries = Vec::with_capacity(batch.items.len());
        let mut pending = vec![batch];
        let mut tries = Tries::new(span);
        while let Some(batch) = pending.pop() {
            self.settle(&part, batch, &mut pending, &mut entries, &mut tries).await;
        }
        if let Some(allowance) = &self.allowance {
            allowance.give_back(taken, &entries);
        }
        self.give_up_old(&mut entries).await?;
        tries.tell(taken, &entries);
        if !entries.is_empty() {
            self.record(part.number, entries).await?;
        }
        drop(permit);
        Ok(())
    }

    /// Journals outcomes and counts them.
    pub(crate) async fn record(
        &self,
        part: PartNumber,
        entries: Vec<JournalEntry>,
    ) -> Result<(), Failure> {
        let mut counts = [0; 3];
        for entry in &entries {
            match entry.verdict {
                Verdict::Delivered => counts[0] += 1,
                Verdict::Failed => counts[1] += 1,
                Verdict::Discarded => counts[2] += 1,
            }
        }
        self.store.record(self.sync, part, entries).await?;
        let [delivered, failed, discarded] = counts;
        self.progress.outcomes(delivered, failed, discarded);
        Ok(())
    }

    /// Tries a batch until each item has an outcome, is handed back in a half, or is left unsent
    /// because loading stops.
    async fn settle(
        &self,
        part: &LoadedPart,
        mut batch: Batch,
        pending: &mut Vec<Batch>,
        entries: &mut Vec<JournalEntry>,
        tries: &mut Tries,
    ) {
        let mut tried = 0;
        while !batch.items.is_empty() {
            let mut exchanges = Vec::new();
            let (answers, unanswered) = match self.attempt(&batch, &mut exchanges).await {
                Tried::Judged(answers) => (Ok(answers), None),
                Tried::Refused(failure) => (Err(failure), None),
                Tried::Unanswered(request, failure) => (Err(failure), Some(request)),
            };
            tried += 1;
            let (redactor, unanswered) = (&self.redactor, unanswered.as_ref());
            let judge = Judge { part, redactor, exchanges: &exchanges, unanswered };
            let (again, failure) = match answers {
                Ok(answers) => self.judge(&judge, batch, answers, entries),
                Err(failure) => (batch, Some(failure)),
            };
            tries.tried(&exchanges, failure.as_ref());
            let Some(failure) = failure else { return };
            match failure.remedy() {
                Remedy::RejectRow if again.items.len() > 1 => {
                    tries.halved(again.items.len());
                    let mut first = again;
                    let second = Batch { items: first.items.split_off(first.items.len() / 2) };
                    pending.extend([second, first]);
                    return;
                }
                Remedy::RejectRow => {
                    entries.extend(
                        again.items.iter().filter_map(|item| judge.refused(item, failure.clone())),
                    );
                    return;
                }
                Remedy::PauseSync | Remedy::StopRun => return self.halt(failure),
                Remedy::Retry => {
                    if let Some(wait) = failure.retry_after() {
                        self.gate.close(wait.min(self.retries.patience));
                    }
                    let random = self.random.lock().unwrap_or_else(PoisonError::into_inner).f64();
                    let Some(wait) = self.retries.wait(tried, failure.retry_after(), random) else {
                        entries.extend(
                            again
                                .items
                                .iter()
                                .filter_map(|item| judge.refused(item, failure.clone())),
                        );
                        if self.failures_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
                            self.halt(failure);
                        }
                        return;
                    };
                    tries.again(wait);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.stop.cancelled() => return,
                    }
                    batch = again;
                }
            }
        }
    }

    /// Journals what is settled; gives back the items to try again, and why.
    fn judge(
        &self,
        judge: &Judge<'_>,
        batch: Batch,
        answers: Vec<Result<(), Failure>>,
        entries: &mut Vec<JournalEntry>,
    ) -> (Batch, Option<Failure>) {
        let mut again = Vec::new();
        let mut reason: Option<Failure> = None;
        for (item, answer) in batch.items.into_iter().zip(answers) {
            match answer {
                Ok(()) => {
                    self.failures_in_a_row.store(0, Ordering::Relaxed);
                    entries.push(Judge::delivered(&item));
                }
                Err(failure) => match failure.remedy() {
                    Remedy::RejectRow => entries.extend(judge.refused(&item, failure)),
                    Remedy::Retry | Remedy::PauseSync | Remedy::StopRun => {
                        again.push(item);
                        // What stops the sync outweighs what is merely tried again.
                        if reason.as_ref().is_none_or(|known| known.remedy() == Remedy::Retry) {
                            reason = Some(failure);
                        }
                    }
                },
            }
        }
        (Batch { items: again }, reason)
    }

    async fn attempt(&self, batch: &Batch, exchanges: &mut Vec<Exchange>) -> Tried {
        loop {
            match self.action.next(batch, exchanges) {
                Err(failure) | Ok(Step::Refused(failure)) => return Tried::Refused(failure),
                Ok(Step::Done(answers)) => return Tried::Judged(answers),
                Ok(Step::Send(requests)) => {
                    for request in requests {
                        match self.send(&request).await {
                            Ok(reply) => exchanges.push(Exchange { request, reply }),
                            Err(failure) => return Tried::Unanswered(request, failure),
                        }
                    }
                }
            }
        }
    }

    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        self.gate.pace().await;
        let began = Instant::now();
        let answer = self.transport.send(request).await;
        let signal = match &answer {
            Ok(reply) if reply.status == 429 || reply.status >= 500 => Signal::Overloaded,
            Ok(reply) => Signal::Answered(reply.elapsed),
            Err(_) => Signal::Overloaded,
        };
        self.gate.learn(began, signal);
        answer
    }

    async fn give_up_old(&self, entries: &mut [JournalEntry]) -> Result<(), Failure> {
        let oldest = self.clock.now().checked_sub(self.limits.retry_for);
        let endurance =
            Endurance { attempts: self.limits.attempts, oldest: oldest.unwrap_or_default() };
        let mut failed: Vec<&mut JournalEntry> =
            entries.iter_mut().filter(|entry| entry.verdict == Verdict::Failed).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = failed.iter().map(|entry| record_id(entry).to_owned()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let before = self.store.attempts(&self.mapping, self.sync, &ids).await?;
        for (entry, before) in failed.iter_mut().zip(before) {
            endurance.apply(entry, before);
        }
        Ok(())
    }
}

fn record_id(entry: &JournalEntry) -> &str {
    entry.failure.as_ref().map_or("", |told| &told.1.record_id)
}
