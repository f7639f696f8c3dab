//! A clock that stands still until a test moves it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ebb_core::port::Clock;
use jiff::Timestamp;

/// A clock that shows what it was set to.
#[derive(Debug)]
pub struct FakeClock {
    now: Mutex<Timestamp>,
}

impl FakeClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock forward, at most to the end of time.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by).unwrap_or(Timestamp::MAX);
    }
}

/// Noon, UTC, on 1 May 2024.
impl Default for FakeClock {
    fn default() -> Self {
        Self::at(Timestamp::constant(1_714_564_800, 0))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::port::Clock;

    use super::FakeClock;

    #[test]
    fn time_passes_only_when_it_is_told_to() {
        let clock = FakeClock::default();
        assert_eq!(clock.now().to_string(), "2024-05-01T12:00:00Z");
        clock.advance(Duration::from_hours(36));
        assert_eq!(clock.now().to_string(), "2024-05-03T00:00:00Z");
        clock.set("2020-02-02T02:02:02Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2020-02-02T02:02:02Z");
    }
}
