//! When something is tried again.

use std::time::Duration;

/// How long and how often something is tried within one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Tries in all, the first included.
    pub tries: u32,
    /// The longest wait before the second try; it doubles with each further one.
    pub first: Duration,
    /// The longest wait of all that Ebb chooses by itself.
    pub longest: Duration,
    /// Who asks for a longer wait is left to the next sync.
    pub patience: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            tries: 8,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(30),
            patience: Duration::from_mins(15),
        }
    }
}

impl Retries {
    /// Long enough for a database to start anew, short enough for a person who waits.
    pub const fn of_sources() -> Self {
        Self {
            tries: 6,
            first: Duration::from_secs(2),
            longest: Duration::from_secs(30),
            patience: Duration::from_mins(5),
        }
    }

    /// The wait after a failed try (counted from 1), with full jitter, or what the other side
    /// asked for if that is longer; `None` if there is to be no other try. `random` is in `0..1`.
    pub(crate) fn wait(self, tried: u32, asked: Option<Duration>, random: f64) -> Option<Duration> {
        if tried >= self.tries || asked.is_some_and(|asked| asked > self.patience) {
            return None;
        }
        let ceiling = self
            .first
            .saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1)))
            .min(self.longest);
        Some(ceiling.mul_f64(random).max(asked.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end_after_the_last_try() {
        let retries = Retries::default();
        let waits: Vec<_> = (1..9).map(|tried| retries.wait(tried, None, 1.0)).collect();
        let seconds = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8];
        let expected = seconds.map(|seconds| Some(Duration::from_secs_f64(seconds)));
        assert_eq!(waits, [&expected[..], &[None]].concat());
    }

    #[test]
    fn what_the_destination_asks_for_is_waited_for_unless_it_is_too_long() {
        let retries = Retries::default();
        let minute = Duration::from_mins(1);
        assert_eq!(retries.wait(1, Some(minute), 0.0), Some(minute));
        assert_eq!(retries.wait(1, Some(minute * 60), 0.0), None);
    }
}
