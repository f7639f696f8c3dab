//! Slows down who guesses passwords.

use std::{net::IpAddr, num::NonZeroU32};

use ebb_core::{Code, Failure};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Tries that may come at once; then one every six seconds.
const BURST: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// Counts tries to sign in, by where they come from and by whom they mean.
pub(crate) struct Throttle {
    origins: DefaultKeyedRateLimiter<IpAddr>,
    people: DefaultKeyedRateLimiter<String>,
    deliveries: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Throttle {
    fn default() -> Self {
        let quota = Quota::per_minute(BURST);
        Self {
            origins: RateLimiter::keyed(quota),
            people: RateLimiter::keyed(quota),
            deliveries: RateLimiter::keyed(quota),
        }
    }
}

impl Throttle {
    /// Counts what came to a webhook without its signature; `A604` if there was too much of it.
    pub(crate) fn count_delivery(&self, origin: IpAddr) -> Result<(), Failure> {
        self.deliveries.retain_recent();
        self.deliveries.check_key(&origin).map_err(|_| {
            Failure::new(Code::TooManyTries, "there were too many deliveries without a signature")
        })
    }

    /// Counts a try; `A604` if there were too many.
    pub(crate) fn count(&self, origin: IpAddr, email: &str) -> Result<(), Failure> {
        // What is long ago is forgotten, so that strangers cannot fill the memory.
        self.origins.retain_recent();
        self.people.retain_recent();
        let fine = self.origins.check_key(&origin).is_ok()
            && self.people.check_key(&email.to_lowercase()).is_ok();
        if fine {
            return Ok(());
        }
        Err(Failure::new(Code::TooManyTries, "there were too many tries to sign in"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use ebb_core::Code;

    use super::Throttle;

    #[test]
    fn the_eleventh_try_in_a_row_is_refused_for_an_origin_and_for_a_person() {
        let origin = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        let throttle = Throttle::default();
        for number in 0..10 {
            assert_eq!(throttle.count(origin(1), &format!("p{number}@example.com")), Ok(()));
        }
        let refused = throttle.count(origin(1), "q@example.com").unwrap_err();
        assert_eq!(refused.code, Code::TooManyTries);
        for number in 10..20 {
            assert_eq!(throttle.count(origin(number), "Ada@example.com"), Ok(()));
        }
        assert!(throttle.count(origin(20), "ada@example.com").is_err());
    }
}
