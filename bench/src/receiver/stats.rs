//! What the receiver has counted since the last reset.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::time::Instant;

/// Counts since the start or the last reset. Times run from the first request's arrival.
#[derive(Debug, Default, Serialize)]
pub(super) struct Stats {
    /// Requests read whole, whatever became of them.
    pub(super) requests: u64,
    /// Records of accepted requests.
    pub(super) records: u64,
    /// Bytes of accepted bodies.
    pub(super) bytes: u64,
    /// Bodies that were no JSON or held something other than records (answered 422).
    pub(super) malformed: u64,
    /// Answers by status, `cut` or `lost`.
    pub(super) answers: BTreeMap<String, u64>,
    /// Requests being answered now.
    pub(super) in_flight: u64,
    /// The most requests that were being answered at one time.
    pub(super) most_in_flight: u64,
    #[serde(skip)]
    first: Option<Instant>,
    #[serde(skip)]
    last: Option<Instant>,
}

/// The counts with what follows from them.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    #[serde(flatten)]
    counts: &'a Stats,
    /// From the first request's arrival to the last answer.
    seconds: f64,
    records_per_second: f64,
    requests_per_second: f64,
}

impl Stats {
    /// A request has arrived.
    pub(super) fn arrived(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.requests += 1;
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
    }

    /// A request has its answer.
    pub(super) fn answered(&mut self, answer: &str, now: Instant) {
        self.last = Some(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(count) = self.answers.get_mut(answer) {
            *count += 1;
        } else {
            self.answers.insert(answer.to_owned(), 1);
        }
    }

    /// Forgets the counts, but not the requests that are still being answered.
    pub(super) fn reset(&mut self) {
        *self = Self { in_flight: self.in_flight, ..Self::default() };
    }

    /// The counts and rates so far.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people; counts stay far below 2^52")]
    pub(super) fn report(&self) -> Report<'_> {
        let seconds = match (self.first, self.last) {
            (Some(first), Some(last)) => last.duration_since(first).as_secs_f64(),
            (None, _) | (_, None) => 0.0,
        };
        let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        Report {
            counts: self,
            seconds,
            records_per_second: rate(self.records),
            requests_per_second: rate(self.requests),
        }
    }
}
