//! What the trace of a sync tells: a span for the whole, one for each phase, one for a batch.
//!
//! Spans bear names and numbers alone: no values, no identifiers of records, and no addresses, which may hold
//! either. They have a target of their own, so that log lines stay as they are, and nothing is made of them
//! unless somebody subscribes to it.

mod batches;

use ebb_core::{
    Code, Failure,
    config::Mapping,
    port::{Commit, Diff, Outcomes, Status, SyncKind, SyncRecord},
};
use tracing::{Instrument, Span, field::Empty};

use crate::Plan;
pub(crate) use batches::{Batches, Tries};

/// The target of spans that are made for traces.
pub const TRACES: &str = "ebb::traces";

/// The span of a whole sync. A sync that is resumed has one more, with the same id.
pub(crate) fn sync(plan: &Plan, record: &SyncRecord) -> Span {
    let Mapping { model, destination, action, .. } = &plan.mapping;
    tracing::info_span!(
        target: TRACES,
        parent: None,
        "sync",
        ebb.sync.id = %record.id,
        ebb.sync.kind = match record.kind {
            SyncKind::Sync => "sync",
            SyncKind::Backfill => "backfill",
            SyncKind::Replay { .. } => "replay",
            SyncKind::Rebase => "rebase",
        },
        ebb.mapping = plan.name,
        ebb.model = model,
        ebb.source = plan.model.source,
        ebb.destination = destination,
        ebb.action = action,
        ebb.sync.status = Empty,
        ebb.records.extracted = Empty,
        ebb.records.delivered = Empty,
        ebb.records.failed = Empty,
        ebb.records.discarded = Empty,
        "error.type" = Empty,
        otel.status_description = Empty,
    )
}

/// Runs a sync within its span, which tells how it ended.
pub(crate) fn whole(
    span: Span,
    run: impl Future<Output = Result<SyncRecord, Failure>>,
) -> impl Future<Output = Result<SyncRecord, Failure>> {
    let run = Box::pin(run);
    let run = async move {
        let record = run.await?;
        ended(&Span::current(), &record);
        Ok(record)
    };
    within(span, run)
}

/// Runs something within its span, which bears the code of what went wrong. What is run is boxed: futures
/// around futures would grow by each of them.
pub(crate) fn within<T>(
    span: Span,
    work: impl Future<Output = Result<T, Failure>>,
) -> impl Future<Output = Result<T, Failure>> {
    let work = Box::pin(work);
    let work = async move {
        let result = work.await;
        if let Err(failure) = &result {
            failed(&Span::current(), failure.code);
        }
        result
    };
    work.instrument(span)
}

/// A span with a description of its status is that of an error.
fn failed(span: &Span, code: Code) {
    span.record("error.type", code.as_str());
    span.record("otel.status_description", code.title());
}

/// A number as traces have them.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn ended(span: &Span, record: &SyncRecord) {
    let counts = &record.counts;
    span.record("ebb.sync.status", record.status.as_str());
    span.record("ebb.records.extracted", number(counts.extracted.total()));
    span.record("ebb.records.delivered", number(counts.delivered.total()));
    span.record("ebb.records.failed", number(counts.failed.total()));
    span.record("ebb.records.discarded", number(counts.discarded.total()));
    match &record.failure {
        Some(failure) if record.status == Status::Failed => failed(span, failure.code),
        // What waits for approval is no error.
        Some(failure) => {
            span.record("error.type", failure.code.as_str());
        }
        None => {}
    }
}

/// The span of looking for what changed.
pub(crate) fn diff() -> Span {
    tracing::info_span!(
        target: TRACES,
        "diff",
        ebb.records.added = Empty,
        ebb.records.updated = Empty,
        ebb.records.deleted = Empty,
        ebb.records.tracked = Empty,
        ebb.bytes.scanned = Empty,
        "error.type" = Empty,
        otel.status_description = Empty,
    )
}

/// Tells in the current span what a diff found.
pub(crate) fn found(diff: &Diff) {
    let span = Span::current();
    span.record("ebb.records.added", number(diff.changes.added));
    span.record("ebb.records.updated", number(diff.changes.updated));
    span.record("ebb.records.deleted", number(diff.changes.deleted));
    span.record("ebb.records.tracked", number(diff.tracked));
    span.record("ebb.bytes.scanned", diff.scanned.map(number));
}

/// The span of taking changes out of the warehouse.
pub(crate) fn stage() -> Span {
    tracing::info_span!(
        target: TRACES,
        "stage",
        ebb.parts = Empty,
        ebb.records.staged = Empty,
        ebb.bytes.staged = Empty,
        "error.type" = Empty,
        otel.status_description = Empty,
    )
}

/// What is staged of a sync, by this run of it and earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Size {
    pub(crate) parts: u64,
    pub(crate) records: u64,
    /// As stored.
    pub(crate) bytes: u64,
}

/// Tells in the current span what is staged.
pub(crate) fn staged(Size { parts, records, bytes }: Size) {
    let span = Span::current();
    span.record("ebb.parts", number(parts));
    span.record("ebb.records.staged", number(records));
    span.record("ebb.bytes.staged", number(bytes));
}

/// The span of bringing records to the destination.
pub(crate) fn load() -> Span {
    tracing::info_span!(
        target: TRACES,
        "load",
        ebb.batches = Empty,
        ebb.batches.traced = Empty,
        "error.type" = Empty,
        otel.status_description = Empty,
    )
}

/// The span of taking outcomes over as tracked.
pub(crate) fn commit(commit: &Commit, outcomes: &Outcomes) -> Span {
    tracing::info_span!(
        target: TRACES,
        "commit",
        ebb.records.settled = number(outcomes.delivered.len() + outcomes.discarded.len()),
        // Only the smaller of what is settled and what is not goes to the warehouse.
        ebb.rows.written = number(commit.seqs.len()),
        "error.type" = Empty,
        otel.status_description = Empty,
    )
}
