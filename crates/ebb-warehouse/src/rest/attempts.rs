//! How often and how soon a request that repeats itself safely is sent again.

use std::time::Duration;

use super::{Reply, failure::is_tls};

/// So often is a request sent that gets no answer, or one that says to come back later.
const ATTEMPTS: u32 = 6;
/// The wait after the first of them; it doubles from one to the next.
const WAIT: Duration = Duration::from_millis(500);
/// The longest wait that the service may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// The attempts at one request.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    made: u32,
}

impl Attempts {
    /// Whether an answer of this status may be another one soon.
    pub(crate) fn may_pass(reply: &Reply) -> bool {
        reply.status == reqwest::StatusCode::TOO_MANY_REQUESTS || reply.status.is_server_error()
    }

    /// Whether the request was sent before.
    pub(crate) fn is_again(&self) -> bool {
        self.made > 0
    }

    /// Counts an attempt whose answer may pass, and tells how long to wait for the next; `None` if it was
    /// the last.
    pub(crate) fn after_reply(&mut self, reply: &Reply) -> Option<Duration> {
        let backoff = self.next();
        (self.made < ATTEMPTS).then(|| reply.wait.unwrap_or(backoff).min(LONGEST_WAIT))
    }

    /// The same for one that got no answer; gives the error back if it was the last. An address that nobody
    /// answers at is told soon, and a certificate does not get better.
    pub(crate) fn after_error(
        &mut self,
        error: reqwest::Error,
    ) -> Result<Duration, reqwest::Error> {
        let backoff = self.next();
        let attempts = if error.is_connect() { 2 } else { ATTEMPTS };
        if is_tls(&error) || self.made >= attempts { Err(error) } else { Ok(backoff) }
    }

    fn next(&mut self) -> Duration {
        self.made += 1;
        WAIT * 2_u32.pow(self.made.min(ATTEMPTS) - 1)
    }
}
