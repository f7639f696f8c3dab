//! A small chart of a mapping's last syncs.

use ebb_core::port::SyncRecord;

/// Bars from the oldest to the newest sync.
pub(super) struct Spark {
    pub(super) bars: Vec<Bar>,
    pub(super) label: String,
}

/// One sync: what was delivered, and below it what was not.
pub(super) struct Bar {
    pub(super) x: usize,
    /// Top and height of what was delivered.
    pub(super) delivered: Option<(u64, u64)>,
    pub(super) failed: bool,
}

/// Height of the chart, and of the part of a bar that tells failures.
const HEIGHT: u64 = 24;
const FAILED: u64 = 4;

impl Spark {
    /// Syncs that are shown.
    pub(super) const BARS: usize = 14;

    /// A chart of syncs, which come with the newest first.
    pub(super) fn new(history: &[SyncRecord]) -> Self {
        let most = history.iter().map(|sync| sync.counts.delivered.total()).max().unwrap_or(0);
        let mut bars: Vec<Bar> = Vec::new();
        let mut with_failures = 0;
        for (place, sync) in history.iter().take(Self::BARS).enumerate() {
            let counts = sync.counts;
            let failed =
                counts.failed.total() + counts.discarded.total() > 0 || sync.failure.is_some();
            with_failures += usize::from(failed);
            // A bar of little is seen as well: counts differ by orders of magnitude.
            let digits = |number: u64| u64::from(u64::BITS - number.leading_zeros());
            let delivered = counts.delivered.total();
            let height = digits(delivered) * (HEIGHT - FAILED) / digits(most).max(1);
            let base = if failed { HEIGHT - FAILED } else { HEIGHT };
            bars.push(Bar {
                x: (Self::BARS - 1 - place) * 7,
                delivered: (delivered > 0).then(|| (base - height.max(2), height.max(2))),
                failed,
            });
        }
        let label =
            format!("Delivered in the last {} syncs, {with_failures} with failures", bars.len());
        Self { bars, label }
    }
}
