//! What follows from a call that failed: another attempt, a new token, or the end.

use std::time::Duration;

use super::{
    call::Broken,
    status::{Code, Status},
};
use crate::http::{ATTEMPTS, Repeat, pause};

/// The attempts of a call that may be made again, since the last one that got on.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: u32,
    renewed: bool,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Let the token go and call again.
    Renew,
    /// Call again after a while.
    Wait(Duration),
    /// Give up.
    End,
}

impl Attempts {
    /// What follows from one more that failed.
    pub(super) fn after(&mut self, broken: &Broken) -> Next {
        self.failed += 1;
        let (most, asked) = match broken {
            Broken::Refused(Status { code: Code::Unauthenticated, .. }) if !self.renewed => {
                self.renewed = true;
                return Next::Renew;
            }
            Broken::Refused(Status { code, retry_after, .. }) => match code {
                Code::Transient | Code::ResourceExhausted => (ATTEMPTS, *retry_after),
                Code::PermissionDenied
                | Code::Unauthenticated
                | Code::Unimplemented
                | Code::Other(_) => return Next::End,
            },
            Broken::Lost(error) => (Repeat::Freely.attempts(error), None),
            Broken::Malformed => (ATTEMPTS, None),
            Broken::NoToken(_) => return Next::End,
        };
        if self.failed < most { Next::Wait(pause(self.failed, asked)) } else { Next::End }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Attempts, Broken, Code, Next, Status};

    fn refused(code: Code, retry_after: Option<Duration>) -> Broken {
        let (message, reason) = (String::new(), String::new());
        Broken::Refused(Status { code, message, reason, retry_after })
    }

    #[test]
    fn a_token_is_made_anew_once() {
        let mut attempts = Attempts::default();
        let expired = refused(Code::Unauthenticated, None);
        assert_eq!(attempts.after(&expired), Next::Renew);
        assert_eq!(attempts.after(&expired), Next::End);
    }

    #[test]
    fn what_may_pass_is_tried_again_when_the_service_says() {
        let mut attempts = Attempts::default();
        let asked = Duration::from_secs(7);
        let busy = refused(Code::ResourceExhausted, Some(asked));
        assert_eq!(attempts.after(&busy), Next::Wait(asked));
        let gone = refused(Code::Transient, None);
        let waits: Vec<_> = (2..7).map(|_| attempts.after(&gone)).collect();
        let [seconds @ .., Next::End] = waits.as_slice() else { panic!("{waits:?}") };
        let expected = [1, 2, 4, 8].map(|seconds| Next::Wait(Duration::from_secs(seconds)));
        assert_eq!(seconds, expected);
        assert_eq!(Attempts::default().after(&refused(Code::PermissionDenied, None)), Next::End);
    }
}
