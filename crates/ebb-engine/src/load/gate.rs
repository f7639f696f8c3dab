//! How many batches are in flight, learned from the answers.
//!
//! Additive increase, multiplicative decrease: the window doubles per round trip until the first
//! sign of congestion, then grows by one per round trip, and shrinks by a factor on 429, 5xx,
//! timeouts and when answers take much longer than they can. All syncs of one destination in this
//! process share one gate, because a rate limit is an account's.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ebb_core::port::Pace;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{sync::Notify, time::Instant};

/// Where the window starts.
const FIRST_WINDOW: f64 = 4.0;
/// What is left of the window after congestion.
const BACK_OFF: f64 = 0.6;
/// Answers that take so many times the shortest ones mean that the destination queues.
const SLOW: f64 = 4.0;
/// Differences below this are noise of the machine, not queues of the destination.
const NOISE: Duration = Duration::from_millis(100);

/// Admits batches to one destination.
pub(crate) struct Gate {
    state: Mutex<Window>,
    freed: Notify,
    rate: Option<DefaultDirectRateLimiter>,
}

struct Window {
    size: f64,
    largest: f64,
    in_flight: usize,
    /// No request starts before this moment: the destination asked to wait.
    closed_until: Option<Instant>,
    /// Congestion seen by requests that began before the last decrease is old news.
    decreased_at: Option<Instant>,
    slow_start: bool,
    shortest: Option<Duration>,
    usual: Option<Duration>,
}

/// The right to have one batch in flight.
pub(crate) struct Permit {
    gate: Arc<Gate>,
}

/// What an answer says about the destination's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It answered, after this time.
    Answered(Duration),
    /// It is overloaded, or did not answer.
    Overloaded,
}

impl Gate {
    /// A gate of a destination's pace.
    pub(crate) fn new(pace: Pace) -> Arc<Self> {
        #[expect(clippy::cast_precision_loss, reason = "a handful of connections")]
        let largest = pace.concurrency.max(1) as f64;
        let rate = pace.requests_per_second.filter(|rate| *rate > 0.0).and_then(|rate| {
            let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate))?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive, and a burst beyond 4 billion has no meaning"
            )]
            let burst = NonZeroU32::new((rate / 10.0) as u32).unwrap_or(NonZeroU32::MIN);
            Some(RateLimiter::direct(quota.allow_burst(burst)))
        });
        Arc::new(Self {
            state: Mutex::new(Window {
                size: FIRST_WINDOW.min(largest),
                largest,
                in_flight: 0,
                closed_until: None,
                decreased_at: None,
                slow_start: true,
                shortest: None,
                usual: None,
            }),
            freed: Notify::new(),
            rate,
        })
    }

    /// Waits for a place in the window.
    pub(crate) async fn enter(self: &Arc<Self>) -> Permit {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.with(Window::try_enter) {
                return Permit { gate: Arc::clone(self) };
            }
            freed.await;
        }
    }

    /// Waits until the next request may start: after a pause that was asked for, within the rate.
    pub(crate) async fn pace(&self) {
        loop {
            let closed_until = self.with(|window| window.closed_until);
            match closed_until {
                Some(moment) if moment > Instant::now() => tokio::time::sleep_until(moment).await,
                Some(_) | None => break,
            }
        }
        if let Some(rate) = &self.rate {
            rate.until_ready().await;
        }
    }

    /// Learns from the answer of a request that began at `began`.
    pub(crate) fn learn(&self, began: Instant, signal: Signal) {
        self.with(|window| window.learn(began, signal));
        self.freed.notify_waiters();
    }

    /// Lets no request start for a while: the destination asked for it.
    pub(crate) fn close(&self, wait: Duration) {
        let moment = Instant::now() + wait;
        self.with(|window| {
            window.closed_until = Some(window.closed_until.map_or(moment, |old| old.max(moment)));
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Window) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    fn window(&self) -> f64 {
        self.with(|window| window.size)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.with(|window| window.in_flight -= 1);
        self.gate.freed.notify_one();
    }
}

impl Window {
    #[expect(clippy::cast_precision_loss, reason = "a handful of batches")]
    fn try_enter(&mut self) -> bool {
        let free = (self.in_flight as f64) < self.size.floor().max(1.0);
        if free {
            self.in_flight += 1;
        }
        free
    }

    fn learn(&mut self, began: Instant, signal: Signal) {
        match signal {
            Signal::Overloaded => self.decrease(began),
            Signal::Answered(elapsed) => {
                let shortest = self.shortest.map_or(elapsed, |known| known.min(elapsed));
                let usual =
                    self.usual.map_or(elapsed, |known| known.mul_f64(0.9) + elapsed.mul_f64(0.1));
                self.shortest = Some(shortest);
                self.usual = Some(usual);
                if usual > shortest.mul_f64(SLOW) + NOISE {
                    self.decrease(began);
                    self.usual = Some(shortest);
                } else {
                    let step = if self.slow_start { 1.0 } else { 1.0 / self.size };
                    self.size = (self.size + step).min(self.largest);
                }
            }
        }
    }

    fn decrease(&mut self, began: Instant) {
        if self.decreased_at.is_some_and(|moment| began < moment) {
            return;
        }
        self.slow_start = false;
        self.size = (self.size * BACK_OFF).max(1.0);
        self.decreased_at = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(concurrency: usize) -> Arc<Gate> {
        Gate::new(Pace { requests_per_second: None, concurrency })
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_doubles_until_congestion_and_then_shrinks_once_per_round_trip() {
        let gate = gate(64);
        let began = Instant::now();
        for _ in 0..12 {
            gate.learn(began, Signal::Answered(Duration::from_millis(10)));
        }
        assert!((gate.window() - 16.0).abs() < 1e-9);
        tokio::time::advance(Duration::from_millis(10)).await;
        for _ in 0..5 {
            gate.learn(began, Signal::Overloaded);
        }
        assert!((gate.window() - 9.6).abs() < 1e-9, "five answers of one round trip count once");
        gate.learn(Instant::now(), Signal::Answered(Duration::from_millis(10)));
        assert!(gate.window() < 10.0, "no more doubling after congestion");
    }

    #[tokio::test(start_paused = true)]
    async fn rising_latency_is_congestion() {
        let gate = gate(64);
        gate.learn(Instant::now(), Signal::Answered(Duration::from_millis(10)));
        let before = gate.window();
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..20 {
            gate.learn(Instant::now(), Signal::Answered(Duration::from_secs(2)));
        }
        assert!(gate.window() < before);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_was_asked_for_holds_every_request() {
        let gate = gate(4);
        gate.close(Duration::from_secs(30));
        let before = Instant::now();
        gate.pace().await;
        assert_eq!(before.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_batches_enter_than_the_window_has_places() {
        let gate = gate(2);
        let first = gate.enter().await;
        let _second = gate.enter().await;
        let third = tokio::time::timeout(Duration::from_secs(1), gate.enter()).await;
        assert!(third.is_err());
        drop(first);
        gate.enter().await;
    }
}
