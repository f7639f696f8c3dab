//! What goes wrong at the receiver, and how often.

use std::hash::{DefaultHasher, Hash, Hasher};

/// One thing that goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Answered with 500; nothing was accepted.
    ServerError,
    /// Answered with 429 and `Retry-After`; nothing was accepted.
    Busy,
    /// Answered with 400; nothing was accepted.
    BadRequest,
    /// The connection is cut; nothing was accepted.
    CutBeforeAccepting,
    /// The records are accepted, and then the connection is cut: the answer is lost.
    CutAfterAccepting,
}

/// How often which fault strikes, as shares of all requests.
///
/// A request's fate depends on the seed, its body and how often this body came before, and not on
/// the order in which requests race each other: the same seed hits the same bodies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// Another seed, other victims.
    pub seed: u64,
    /// Share of [`Fault::ServerError`], 0 to 1.
    pub server_error: f64,
    /// Share of [`Fault::Busy`].
    pub busy: f64,
    /// Share of [`Fault::BadRequest`].
    pub bad_request: f64,
    /// Share of cut connections, one half before and one half after accepting.
    pub cut: f64,
}

impl Faults {
    /// Everything works.
    pub const NONE: Self =
        Self { seed: 0, server_error: 0.0, busy: 0.0, bad_request: 0.0, cut: 0.0 };

    /// A bad day: 2 % 500, 1 % 429, 1 % 400, 1 % cut connections.
    pub const fn rough(seed: u64) -> Self {
        Self { seed, server_error: 0.02, busy: 0.01, bad_request: 0.01, cut: 0.01 }
    }

    /// The fate of a body that came `before` times already.
    pub fn strike(&self, path: &str, body: &[u8], before: u32) -> Option<Fault> {
        let mut hasher = DefaultHasher::new();
        (self.seed, path, body, before).hash(&mut hasher);
        let mut random = fastrand::Rng::with_seed(hasher.finish());
        let mut draw = random.f64();
        let cut = if random.bool() { Fault::CutBeforeAccepting } else { Fault::CutAfterAccepting };
        let shares = [
            (self.server_error, Fault::ServerError),
            (self.busy, Fault::Busy),
            (self.bad_request, Fault::BadRequest),
            (self.cut, cut),
        ];
        for (share, fault) in shares {
            if draw < share {
                return Some(fault);
            }
            draw -= share;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Fault, Faults};

    #[test]
    fn a_bad_day_strikes_as_often_as_it_says() {
        let faults = Faults::rough(7);
        let mut struck = BTreeMap::new();
        for number in 0..100_000_u32 {
            if let Some(fault) = faults.strike("/in", &number.to_be_bytes(), 0) {
                *struck.entry(fault).or_insert(0_u32) += 1;
            }
        }
        let between = |fault, low, high| {
            let times = struck[&fault];
            assert!((low..=high).contains(&times), "{fault:?} struck {times} times of 100,000");
        };
        between(Fault::ServerError, 1_800, 2_200);
        between(Fault::Busy, 850, 1_150);
        between(Fault::BadRequest, 850, 1_150);
        between(Fault::CutBeforeAccepting, 400, 600);
        between(Fault::CutAfterAccepting, 400, 600);
    }

    #[test]
    fn a_fate_is_the_seeds_the_bodys_and_the_attempts_alone() {
        let faults = Faults { server_error: 0.5, ..Faults::rough(3) };
        let fates = |faults: &Faults, before| -> Vec<_> {
            (0..64_u8).map(|body| faults.strike("/in", &[body], before)).collect()
        };
        assert_eq!(fates(&faults, 0), fates(&faults, 0));
        assert_ne!(fates(&faults, 0), fates(&faults, 1));
        assert_ne!(fates(&faults, 0), fates(&Faults { seed: 4, ..faults }, 0));
    }
}
