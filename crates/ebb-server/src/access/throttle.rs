//! Slows down who guesses passwords.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32};

use ebb_core::{Code, Failure};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use super::joining::as_kept;

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
        count(&self.deliveries, &origin, "there were too many deliveries without a signature")
    }

    /// Counts a try; `A604` if there were too many. However an address is written, it means the same person.
    pub(crate) fn count(&self, origin: IpAddr, email: &str) -> Result<(), Failure> {
        const MESSAGE: &str = "there were too many tries to sign in";
        count(&self.origins, &origin, MESSAGE)?;
        count(&self.people, &as_kept(email), MESSAGE)
    }
}

fn count<K: Hash + Eq + Clone>(
    tries: &DefaultKeyedRateLimiter<K>,
    key: &K,
    message: &str,
) -> Result<(), Failure> {
    // What is long ago is forgotten, so that strangers cannot fill the memory.
    tries.retain_recent();
    tries.check_key(key).map_err(|until| {
        Failure::new(Code::TooManyTries, message).after(until.wait_time_from(tries.clock().now()))
    })
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
        let wait = refused.retry_after().unwrap().as_secs_f64();
        assert!(wait > 5.0 && wait <= 6.0, "{wait}");
        let spellings = ["ada@example.com", "Ada@Example.com", " ada@example.com\t"];
        for (number, email) in (10..20).zip(spellings.into_iter().cycle()) {
            assert_eq!(throttle.count(origin(number), email), Ok(()));
        }
        for (number, email) in (20..).zip(spellings) {
            assert!(throttle.count(origin(number), email).is_err(), "{email:?}");
        }
    }
}
