//! Random Liquid templates.

use fastrand::Rng;

/// A template.
pub(crate) fn template(random: &mut Rng) -> String {
    let _ = random;
    "plain".to_owned()
}
