//! Whether something is wrong with a mapping, from what is known of it.

use ebb_core::{
    Code, Failure, SyncId,
    config::Trouble,
    port::{Status, SyncRecord},
};
use ebb_store::Load;
use jiff::{SignedDuration, Timestamp};

use super::{condition::Condition, volume};

/// What is known of a mapping at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) now: Timestamp,
    /// The newest sync that has ended, replays left out.
    pub(super) latest: Option<Latest>,
    /// What its syncs moved in the last [`volume::DAYS`] days.
    pub(super) loads: Vec<Load>,
    /// Whether it synced before those days, too.
    pub(super) older: bool,
    /// Since when a sync is due that has not started.
    pub(super) due_since: Option<Timestamp>,
}

/// The newest sync that has ended.
#[derive(Debug, Clone)]
pub(super) struct Latest {
    pub(super) id: SyncId,
    pub(super) status: Status,
    pub(super) failure: Option<Failure>,
    /// Records that were to be delivered.
    pub(super) extracted: u64,
    pub(super) delivered: u64,
}

impl From<SyncRecord> for Latest {
    fn from(sync: SyncRecord) -> Self {
        Self {
            id: sync.id,
            status: sync.status,
            failure: sync.failure,
            extracted: sync.counts.extracted.total(),
            delivered: sync.counts.delivered.total(),
        }
    }
}

/// What is found of one condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finding {
    /// All is well.
    Well,
    /// Nothing speaks for either: what was told stays.
    Unknown,
    /// Something is wrong.
    Wrong(Wrong),
}

/// What is wrong, in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    pub(super) code: Option<Code>,
    pub(super) message: String,
    pub(super) help: String,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Judges one condition of a mapping.
pub(super) fn judge(mapping: &str, condition: Condition, facts: &Facts) -> Finding {
    match condition.trouble {
        Trouble::Failed => failed(mapping, facts),
        Trouble::Partial => partial(mapping, facts),
        Trouble::Held => held(mapping, facts),
        Trouble::Late => late(mapping, condition, facts),
        Trouble::DeliveryRate => delivery_rate(mapping, condition, facts),
        Trouble::VolumeChange => volume_change(mapping, condition, facts),
    }
}

fn wrong(code: Option<Code>, message: String, help: &str) -> Finding {
    Finding::Wrong(Wrong { code, message, help: help.to_owned() })
}

/// The failure of a sync with its own words.
fn by(failure: Option<&Failure>, message: &str) -> Finding {
    let reason = failure.map(|failure| format!(": {}", failure.message())).unwrap_or_default();
    let help = failure.map_or("Look at the sync's page", Failure::advice);
    wrong(failure.map(|failure| failure.code), format!("{message}{reason}"), help)
}

fn failed(mapping: &str, facts: &Facts) -> Finding {
    let Some(latest) = &facts.latest else { return Finding::Unknown };
    match latest.status {
        Status::Failed => by(latest.failure.as_ref(), &format!("the sync of `{mapping}` failed")),
        Status::Succeeded | Status::Partial => Finding::Well,
        // Neither says whether it would have worked.
        Status::Held
        | Status::Canceled
        | Status::Extracting
        | Status::Loading
        | Status::Committing => Finding::Unknown,
    }
}

fn partial(mapping: &str, facts: &Facts) -> Finding {
    let Some(latest) = &facts.latest else { return Finding::Unknown };
    match latest.status {
        Status::Partial => {
            let (delivered, all) = (latest.delivered, latest.extracted);
            let message = format!("the sync of `{mapping}` delivered {delivered} of {all} records");
            wrong(None, message, "Look at the sync's failures: each group says what to do")
        }
        Status::Succeeded => Finding::Well,
        Status::Failed
        | Status::Held
        | Status::Canceled
        | Status::Extracting
        | Status::Loading
        | Status::Committing => Finding::Unknown,
    }
}

fn held(mapping: &str, facts: &Facts) -> Finding {
    let Some(latest) = &facts.latest else { return Finding::Unknown };
    match latest.status {
        Status::Held => by(latest.failure.as_ref(), &format!("`{mapping}` is held for approval")),
        Status::Succeeded | Status::Partial => Finding::Well,
        // It may have ended before a guard could look at it.
        Status::Failed
        | Status::Canceled
        | Status::Extracting
        | Status::Loading
        | Status::Committing => Finding::Unknown,
    }
}

fn late(mapping: &str, condition: Condition, facts: &Facts) -> Finding {
    let Some(due) = facts.due_since.filter(|due| is_late(condition, *due, facts.now)) else {
        return Finding::Well;
    };
    let message = format!(
        "a sync of `{mapping}` was due at {} and has not started",
        due.strftime("%Y-%m-%d %H:%M UTC")
    );
    let help = "Look at what runs: the sync before it, or others of its source, which starts \
                `max_concurrent_syncs` at a time";
    wrong(None, message, help)
}

/// Whether a sync that was due then is late by a condition.
pub(super) fn is_late(condition: Condition, due: Timestamp, now: Timestamp) -> bool {
    now.duration_since(due).unsigned_abs() >= condition.length() && due < now
}

fn delivery_rate(mapping: &str, condition: Condition, facts: &Facts) -> Finding {
    let (mut delivered, mut all) = (0_u64, 0_u64);
    let within = |load: &&Load| facts.now.duration_since(load.finished_at) < DAY;
    for Load { counts, .. } in facts.loads.iter().filter(within) {
        delivered += counts.delivered.total();
        all += counts.delivered.total() + counts.failed.total() + counts.discarded.total();
    }
    let Some(rate) = millionths(delivered, all) else { return Finding::Unknown };
    if rate >= condition.millionths() {
        return Finding::Well;
    }
    let message = format!(
        "`{mapping}` delivered {} of its records within 24 hours, and at least {} are expected",
        percent(rate),
        percent(condition.millionths()),
    );
    wrong(None, message, "Look at the failures of its syncs: each group says what to do")
}

fn volume_change(mapping: &str, condition: Condition, facts: &Facts) -> Finding {
    // What a sync that did not go on moved says nothing of what there is.
    let went = facts
        .latest
        .as_ref()
        .is_some_and(|latest| matches!(latest.status, Status::Succeeded | Status::Partial));
    let Some((today, usual)) = volume::today_and_usual(&facts.loads, facts.older).filter(|_| went)
    else {
        return Finding::Unknown;
    };
    let change = millionths(today.abs_diff(usual), usual).unwrap_or_default();
    if change <= condition.millionths() {
        return Finding::Well;
    }
    let direction = if today > usual { "more" } else { "less" };
    let message = format!(
        "`{mapping}` had {today} changes within 24 hours, {} {direction} than the usual {usual}",
        percent(change),
    );
    wrong(
        None,
        message,
        "Look at the model's data; where the change is meant, nothing is to be done",
    )
}

/// A share in millionths; `None` of nothing.
fn millionths(part: u64, whole: u64) -> Option<u64> {
    let share = u128::from(part) * 1_000_000;
    let share = share.checked_div(u128::from(whole))?;
    Some(u64::try_from(share).unwrap_or(u64::MAX))
}

/// A share in percent with one digit behind the point, cut: 99.96 % is not 100.
fn percent(millionths: u64) -> String {
    match (millionths / 10_000, millionths % 10_000 / 1_000) {
        (whole, 0) => format!("{whole} %"),
        (whole, tenth) => format!("{whole}.{tenth} %"),
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{Counts, Tally};

    use super::*;

    const NOW: &str = "2026-03-02T10:00:00Z";

    fn facts() -> Facts {
        Facts { now: NOW.parse().unwrap(), ..Facts::default() }
    }

    fn condition(trouble: Trouble, threshold: i64) -> Condition {
        Condition { trouble, threshold }
    }

    fn after(status: Status) -> Facts {
        let failure = Failure::new(Code::SourceUnreachable, "`db:5432` cannot be reached");
        let (id, failure) = (SyncId::from_parts(1, 1), Some(failure));
        let latest = Latest { id, status, failure, extracted: 500, delivered: 480 };
        Facts { latest: Some(latest), ..facts() }
    }

    fn told(finding: &Finding) -> String {
        match finding {
            Finding::Well => "well".to_owned(),
            Finding::Unknown => "unknown".to_owned(),
            Finding::Wrong(Wrong { code, message, .. }) => {
                format!("{}{message}", code.map(|code| format!("{code}: ")).unwrap_or_default())
            }
        }
    }

    #[test]
    fn the_latest_sync_says_whether_it_failed_was_partial_or_is_held() {
        let statuses =
            [Status::Succeeded, Status::Partial, Status::Failed, Status::Canceled, Status::Held];
        let of = |trouble| {
            let told =
                statuses.map(|status| told(&judge("m", condition(trouble, 0), &after(status))));
            told.join("\n")
        };
        insta::assert_snapshot!(of(Trouble::Failed), @r"
        well
        well
        S101: the sync of `m` failed: `db:5432` cannot be reached
        unknown
        unknown
        ");
        insta::assert_snapshot!(of(Trouble::Partial), @r"
        well
        the sync of `m` delivered 480 of 500 records
        unknown
        unknown
        unknown
        ");
        insta::assert_snapshot!(of(Trouble::Held), @r"
        well
        well
        unknown
        unknown
        S101: `m` is held for approval: `db:5432` cannot be reached
        ");
        for trouble in [Trouble::Failed, Trouble::Partial, Trouble::Held] {
            assert_eq!(judge("m", condition(trouble, 0), &facts()), Finding::Unknown);
        }
    }

    #[test]
    fn a_sync_is_late_when_it_has_not_started_so_long_after_it_was_due() {
        let late = |due: Option<&str>| {
            let due_since = due.map(|due| due.parse().unwrap());
            told(&judge("m", condition(Trouble::Late, 600), &Facts { due_since, ..facts() }))
        };
        assert_eq!(late(None), "well");
        assert_eq!(late(Some("2026-03-02T10:30:00Z")), "well");
        assert_eq!(late(Some("2026-03-02T09:50:01Z")), "well");
        assert_eq!(
            late(Some("2026-03-02T09:50:00Z")),
            "a sync of `m` was due at 2026-03-02 09:50 UTC and has not started"
        );
    }

    fn load(hours_ago: i64, delivered: u64, failed: u64) -> Load {
        let now: Timestamp = NOW.parse().unwrap();
        let tally = |added| Tally { added, ..Tally::default() };
        let counts = Counts {
            extracted: tally(delivered + failed),
            delivered: tally(delivered),
            failed: tally(failed),
            ..Counts::default()
        };
        Load { finished_at: now - SignedDuration::from_hours(hours_ago), counts }
    }

    #[test]
    fn the_rate_is_that_of_the_last_24_hours() {
        let rate = |loads: &[Load]| {
            let facts = Facts { loads: loads.to_vec(), ..facts() };
            told(&judge("m", condition(Trouble::DeliveryRate, 900_000), &facts))
        };
        assert_eq!(rate(&[]), "unknown");
        assert_eq!(rate(&[load(1, 0, 0)]), "unknown", "nothing was to be delivered");
        assert_eq!(rate(&[load(1, 90, 10)]), "well");
        assert_eq!(rate(&[load(24, 0, 100)]), "unknown", "yesterday does not count");
        assert_eq!(
            rate(&[load(30, 1000, 0), load(2, 800, 200), load(1, 95, 6)]),
            "`m` delivered 81.2 % of its records within 24 hours, and at least 90 % are expected"
        );
    }

    #[test]
    fn a_change_of_volume_is_told_both_ways_and_not_of_a_sync_that_failed() {
        let volume = |today, status| {
            let mut loads: Vec<_> = (1..=5).map(|day| load(day * 24, 1000, 0)).collect();
            loads.push(load(0, today, 0));
            let facts = Facts { loads, older: true, ..after(status) };
            told(&judge("m", condition(Trouble::VolumeChange, 500_000), &facts))
        };
        assert_eq!(volume(1500, Status::Succeeded), "well");
        assert_eq!(volume(500, Status::Partial), "well");
        assert_eq!(
            volume(100, Status::Succeeded),
            "`m` had 100 changes within 24 hours, 90 % less than the usual 1000"
        );
        assert_eq!(
            volume(4000, Status::Succeeded),
            "`m` had 4000 changes within 24 hours, 300 % more than the usual 1000"
        );
        assert_eq!(volume(0, Status::Failed), "unknown");
    }
}
