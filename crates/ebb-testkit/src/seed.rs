//! Seeds of random tests: one that fails is told, and can be run again alone.

use std::{env, thread};

/// Names the variable that holds the one seed to run.
const VARIABLE: &str = "SIM_SEED";

/// A seed under test. When the test panics while this is alive, the seed is printed.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// Watches over one seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The number.
    pub fn number(&self) -> u64 {
        self.0
    }

    /// Random numbers that depend on the seed alone.
    pub fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.0)
    }
}

impl Drop for Seed {
    #[expect(clippy::print_stderr, reason = "the test runner shows it beside the panic")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("seed {seed} failed; run it alone with {VARIABLE}={seed}", seed = self.0);
        }
    }
}

/// The seed of cases that are fresh every day: the same for everybody on that day, so that what fails
/// for one fails for all. `SIM_SEED` names another.
///
/// # Panics
///
/// When `SIM_SEED` is not a number.
pub fn todays_seed() -> Seed {
    let day = jiff::Timestamp::now().as_second() / 86_400;
    Seed::new(chosen().unwrap_or_else(|| day.unsigned_abs()))
}

fn chosen() -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration but this")]
    let text = env::var(VARIABLE).ok()?;
    Some(text.trim().parse().expect("SIM_SEED is a whole number, as it was printed"))
}

/// The seeds `0..count`, or only the one that `SIM_SEED` names.
///
/// # Panics
///
/// When `SIM_SEED` is not a number.
pub fn seeds(count: u64) -> impl Iterator<Item = Seed> {
    let numbers = match chosen() {
        Some(seed) => seed..seed.saturating_add(1),
        None => 0..count,
    };
    numbers.map(Seed::new)
}
