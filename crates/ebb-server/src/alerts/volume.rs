//! How many changes a mapping has in a day, today and usually.

use ebb_store::Load;
use jiff::SignedDuration;

/// Days that are compared with today, and today.
pub(super) const DAYS: usize = 8;

/// Fewer days than these do not say what is usual.
const ENOUGH: usize = 3;

/// Below this, chance makes large changes of few records.
const SMALLEST: u64 = 100;

/// Syncs of one hour on two days do not end at the same minute: what is this much less than a day older
/// belongs to the day before.
const SLACK: SignedDuration = SignedDuration::from_hours(1);

/// The changes of the last 24 hours, counted back from the newest sync, and those of a usual day: the
/// median of up to seven days before. `None` if too little is known, or if there is too little to count.
/// `older` says that the mapping synced before these loads; otherwise the day of its first sync, which sends
/// everything, is no usual one.
pub(super) fn today_and_usual(loads: &[Load], older: bool) -> Option<(u64, u64)> {
    let newest = loads.iter().map(|load| load.finished_at).max()?;
    let day = |load: &Load| {
        let age = newest.duration_since(load.finished_at) + SLACK;
        usize::try_from(age.as_hours() / 24).unwrap_or(usize::MAX)
    };
    let first = loads.iter().map(day).max()?;
    let known = if older { DAYS - 1 } else { first.checked_sub(1)?.min(DAYS - 1) };
    let mut volumes = vec![0_u64; known + 1];
    for load in loads {
        if let Some(volume) = volumes.get_mut(day(load)) {
            *volume += load.counts.extracted.total();
        }
    }
    let (today, days) = volumes.split_first_mut()?;
    if days.len() < ENOUGH {
        return None;
    }
    days.sort_unstable();
    let usual = *days.get(days.len() / 2)?;
    (usual >= SMALLEST).then_some((*today, usual))
}

#[cfg(test)]
mod tests {
    use ebb_core::{Counts, Tally};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    /// Loads by their age in minutes and their changes.
    fn loads(given: impl IntoIterator<Item = (i64, u64)>) -> Vec<Load> {
        let now: Timestamp = "2026-03-20T10:00:00Z".parse().unwrap();
        let load = |(minutes, added)| Load {
            finished_at: now - SignedDuration::from_mins(minutes),
            counts: Counts { extracted: Tally { added, ..Tally::default() }, ..Counts::default() },
        };
        given.into_iter().map(load).collect()
    }

    const DAY: i64 = 24 * 60;

    #[test]
    fn a_daily_sync_that_ends_some_minutes_sooner_or_later_is_one_a_day() {
        for jitter in [-25, 0, 25] {
            let days = (0..7).map(|day| (day * DAY + jitter * (day % 2), 1000));
            assert_eq!(today_and_usual(&loads(days), true), Some((1000, 1000)), "{jitter}");
        }
    }

    #[test]
    fn an_hourly_sync_is_summed_up() {
        let hours = (0..7 * 24).map(|hour| (hour * 60, 10));
        let (today, usual) = today_and_usual(&loads(hours), true).unwrap();
        assert_eq!((today, usual), (230, 240));
    }

    #[test]
    fn the_first_day_and_too_few_days_say_nothing_of_the_usual() {
        let days = |number: i64| loads((0..number).map(|day| (day * DAY, 1000)));
        assert_eq!(today_and_usual(&days(1), false), None);
        assert_eq!(today_and_usual(&days(4), false), None);
        assert_eq!(today_and_usual(&days(5), false), Some((1000, 1000)));
        let mut first = days(5);
        first.extend(loads([(5 * DAY, 1_000_000)]));
        assert_eq!(today_and_usual(&first, false), Some((1000, 1000)));
        assert_eq!(today_and_usual(&[], true), None);
        let few = loads((0..7).map(|day| (day * DAY, 99)));
        assert_eq!(today_and_usual(&few, true), None);
    }

    proptest! {
        #[test]
        fn one_strange_day_does_not_change_the_usual(strange in 1_i64..7, volume in 0_u64..1_000_000) {
            let days = (0..8).map(|day| (day * DAY, if day == strange { volume } else { 500 }));
            prop_assert_eq!(today_and_usual(&loads(days), true), Some((500, 500)));
        }
    }
}
