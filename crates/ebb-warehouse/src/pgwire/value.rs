//! What every reader of values does, whatever form they are sent in.

use std::io::Write;

/// Rows of one batch, at most.
pub(crate) const BATCH_ROWS: usize = 8192;
/// Bytes after which a batch is full.
pub(crate) const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Values of a column that could not be carried over as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Values that became null.
    pub(crate) nulled: u64,
    /// Texts with replaced characters.
    pub(crate) replaced: u64,
}

/// Tells the operator of the columns that lost something.
pub(crate) fn tell_losses<'a>(losses: impl Iterator<Item = (&'a str, Losses)>) {
    for (column, Losses { nulled, replaced }) in losses {
        tracing::warn!(column, nulled, replaced, "values without a counterpart were changed");
    }
}

/// The double that prints as the single does: 0.1 stays 0.1 and is not 0.10000000149011612. `None` if
/// it is not finite.
pub(crate) fn widened(value: f32, scratch: &mut Vec<u8>) -> Option<f64> {
    if !value.is_finite() {
        return None;
    }
    scratch.clear();
    write!(scratch, "{value:e}").ok()?;
    std::str::from_utf8(scratch).ok()?.parse().ok()
}
