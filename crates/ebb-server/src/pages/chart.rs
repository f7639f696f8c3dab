//! Volumes of a mapping's syncs over time, with what was not delivered.

use ebb_core::port::SyncRecord;

use super::words::count;

/// Bars from the oldest sync to the newest, in a drawing of 600 by 120.
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    pub(super) most: String,
    pub(super) label: String,
}

/// One sync.
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) x: usize,
    /// Class, top and height of each part, the lowest first.
    pub(super) parts: Vec<(&'static str, u64, u64)>,
}

const WIDTH: usize = 600;
const HEIGHT: u64 = 120;

impl Chart {
    /// A chart of syncs, which come with the newest first.
    pub(super) fn new(history: &[SyncRecord]) -> Self {
        let all = |sync: &SyncRecord| sync.counts.extracted.total();
        let most = history.iter().map(all).max().unwrap_or(0);
        let step = WIDTH / history.len().max(12);
        let mut bars = Vec::new();
        for (place, sync) in history.iter().rev().enumerate() {
            let counts = sync.counts;
            let (delivered, failed, discarded) =
                (counts.delivered.total(), counts.failed.total(), counts.discarded.total());
            let mut top = HEIGHT;
            let mut parts = Vec::new();
            for (class, number) in [("f-acc", delivered), ("f-warn", failed), ("f-idle", discarded)]
            {
                if number > 0 {
                    let height = (number * HEIGHT / most.max(1)).clamp(2, top.max(2));
                    top = top.saturating_sub(height);
                    parts.push((class, top, height));
                }
            }
            if parts.is_empty() {
                let class = if sync.failure.is_some() { "f-bad" } else { "f-none" };
                parts.push((class, HEIGHT - 2, 2));
            }
            bars.push(Bar {
                title: format!(
                    "{:.0}: {} delivered, {} failed, {} discarded",
                    sync.started_at,
                    count(delivered),
                    count(failed),
                    count(discarded),
                ),
                x: place * step,
                parts,
            });
        }
        let label = format!("Changes of the last {} syncs, at most {}", bars.len(), count(most));
        Self { bars, most: count(most), label }
    }
}
