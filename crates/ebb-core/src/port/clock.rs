//! Time from outside, so that tests can move it.

use jiff::Timestamp;

/// Tells the time of day. Durations are measured with `tokio::time`, which tests can pause.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
