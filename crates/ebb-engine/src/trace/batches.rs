//! Which batches have a span, and what it tells.

use std::time::Duration;

use ebb_core::{
    Code, Failure,
    port::{Batch, Exchange, JournalEntry, Verdict},
};
use tracing::{Span, field::Empty};

use super::{TRACES, failed, number};

/// So many batches of a loading have a span each.
const EACH: u64 = 1000;

/// Counts the batches of a loading, and chooses those that have a span.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    count: u64,
    traced: u64,
}

impl Batches {
    /// The span of the next batch, below the current one.
    pub(crate) fn next(&mut self, batch: &Batch) -> Span {
        let place = self.count;
        self.count += 1;
        if !is_traced(place) {
            return Span::none();
        }
        self.traced += 1;
        tracing::info_span!(
            target: TRACES,
            "batch",
            otel.kind = "client",
            ebb.batch = number(place),
            ebb.records = number(batch.items.len() as u64),
            ebb.bytes = number(batch.items.iter().map(|item| item.bytes.len() as u64).sum()),
            ebb.tries = Empty,
            ebb.records.delivered = Empty,
            ebb.records.failed = Empty,
            ebb.records.discarded = Empty,
            http.response.status_code = Empty,
            "error.type" = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        )
    }

    /// Tells in the current span how many there were.
    pub(crate) fn tell(&self) {
        let span = Span::current();
        span.record("ebb.batches", number(self.count));
        span.record("ebb.batches.traced", number(self.traced));
    }
}

/// Each of the first thousand batches, then every second until there are twice as many, every fourth until
/// there are four times as many, and so on: however many there are, their spans stay few and are spread over
/// the whole.
const fn is_traced(place: u64) -> bool {
    match (place / EACH).checked_ilog2() {
        None => true,
        Some(doubled) => place.is_multiple_of(2 << doubled),
    }
}

/// What becomes of a batch's tries, for its span.
#[derive(Debug)]
pub(crate) struct Tries {
    span: Span,
    count: u64,
    status: Option<u16>,
    /// Why the latest one did not settle every record.
    why: Option<Code>,
}

impl Tries {
    pub(crate) const fn new(span: Span) -> Self {
        Self { span, count: 0, status: None, why: None }
    }

    /// The batch, or what is left of it, was tried once more.
    pub(crate) fn tried(&mut self, exchanges: &[Exchange], failure: Option<&Failure>) {
        self.count += 1;
        self.status = exchanges.last().map(|exchange| exchange.reply.status);
        self.why = failure.map(|failure| failure.code);
    }

    /// What is left is tried again after a wait.
    pub(crate) fn again(&self, wait: Duration) {
        if let (Some(code), false) = (self.why, self.span.is_disabled()) {
            let wait = wait.as_secs_f64();
            tracing::info!(
                target: TRACES, parent: &self.span,
                { "error.type" = code.as_str(), ebb.wait = wait }, "tried again",
            );
        }
    }

    /// What is left is tried in halves.
    pub(crate) fn halved(&self, records: usize) {
        if let (Some(code), false) = (self.why, self.span.is_disabled()) {
            tracing::info!(
                target: TRACES, parent: &self.span,
                { "error.type" = code.as_str(), ebb.records = number(records as u64) }, "halved",
            );
        }
    }

    /// Tells what became of the batch's records; those without an entry were left unsent.
    pub(crate) fn tell(&self, records: u64, entries: &[JournalEntry]) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        let counted = |verdict: Verdict| {
            let of_it = entries.iter().filter(|entry| entry.verdict == verdict);
            number(of_it.count() as u64)
        };
        let delivered = counted(Verdict::Delivered);
        span.record("ebb.tries", number(self.count));
        span.record("ebb.records.delivered", delivered);
        span.record("ebb.records.failed", counted(Verdict::Failed));
        span.record("ebb.records.discarded", counted(Verdict::Discarded));
        span.record("http.response.status_code", self.status.map(i64::from));
        if delivered == number(records) {
            return;
        }
        let told = entries.iter().find_map(|entry| entry.failure.as_ref());
        match told.map(|told| told.0.code).or(self.why) {
            Some(code) => failed(span, code),
            // Loading stopped before it was tried at all.
            None => {
                span.record("otel.status_code", "ERROR");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_traced;

    #[test]
    fn batches_beyond_the_first_thousand_have_fewer_and_fewer_spans() {
        let traced = |batches: u64| (0..batches).filter(|place| is_traced(*place)).count();
        assert_eq!(
            [10, 1_000, 2_000, 4_000, 100_000, 1_000_000].map(traced),
            [10, 1_000, 1_500, 2_000, 4_282, 5_977]
        );
    }
}
