use std::time::Duration;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use proptest::prelude::*;
use serde_json::json;

use super::{Calendar, Day, Interval, Schedule};

fn schedule(value: serde_json::Value) -> Schedule {
    serde_json::from_value(value).unwrap()
}

fn next(schedule: &Schedule, moment: &str) -> String {
    schedule.next_after(moment.parse().unwrap()).unwrap().to_string()
}

#[test]
fn manual_is_never_due() {
    assert_eq!(schedule(json!("manual")), Schedule::Manual);
    assert_eq!(Schedule::Manual.next_after(Timestamp::UNIX_EPOCH), None);
}

#[test]
fn a_schedule_behind_something_has_no_moments() {
    let job = schedule(json!({ "after_dbt_cloud_job": 12_345 }));
    assert_eq!((job.dbt_cloud_job(), job.after()), (Some(12_345), None));
    let mapping = schedule(json!({ "after": "people" }));
    assert_eq!((mapping.dbt_cloud_job(), mapping.after()), (None, Some("people")));
    for behind in [job, mapping] {
        assert_eq!((behind.next_after(Timestamp::UNIX_EPOCH), behind.shortest()), (None, None));
    }
}

#[test]
fn every_interval_is_aligned_to_midnight_utc() {
    let six = schedule(json!({ "every": "6h" }));
    assert_eq!(next(&six, "2026-03-01T05:59:59.9Z"), "2026-03-01T06:00:00Z");
    assert_eq!(next(&six, "2026-03-01T06:00:00Z"), "2026-03-01T12:00:00Z");
    assert_eq!(next(&six, "1969-12-31T23:59:59.5Z"), "1970-01-01T00:00:00Z");
    assert_eq!(next(&six, "1969-12-31T17:59:59.5Z"), "1969-12-31T18:00:00Z");
    assert_eq!(next(&six, "1969-12-31T18:00:00.5Z"), "1970-01-01T00:00:00Z");
}

#[test]
fn days_and_hours_follow_the_zone() {
    let week = schedule(
        json!({ "days": ["mon", "fri"], "at": ["17:00", "09:00"], "timezone": "Europe/Berlin" }),
    );
    // 2026-03-27 is a Friday; on the Sunday after it clocks go forward.
    assert_eq!(next(&week, "2026-03-27T07:00:00Z"), "2026-03-27T08:00:00Z");
    assert_eq!(next(&week, "2026-03-27T08:00:00Z"), "2026-03-27T16:00:00Z");
    assert_eq!(next(&week, "2026-03-27T16:00:00Z"), "2026-03-30T07:00:00Z");
}

#[test]
fn an_hour_that_is_left_out_is_due_an_hour_later_and_one_that_comes_twice_once() {
    let sunday = schedule(json!({ "days": ["sun"], "at": ["02:00"], "timezone": "Europe/Berlin" }));
    assert_eq!(next(&sunday, "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
    assert_eq!(next(&sunday, "2026-10-24T12:00:00Z"), "2026-10-25T00:00:00Z");
    assert_eq!(next(&sunday, "2026-10-25T00:00:00Z"), "2026-11-01T01:00:00Z");
}

#[test]
fn a_day_that_a_zone_leaves_out_does_not_stop_the_schedule() {
    // Samoa went from Thursday 29 to Saturday 31 December 2011.
    let friday = schedule(json!({ "days": ["fri"], "at": ["09:00"], "timezone": "Pacific/Apia" }));
    assert_eq!(next(&friday, "2011-12-30T00:00:00Z"), "2011-12-30T19:00:00Z");
}

#[test]
fn cron_follows_the_zone_over_both_changes_of_the_clock() {
    let daily = schedule(json!({ "cron": "30 2 * * *", "timezone": "Europe/Berlin" }));
    assert_eq!(next(&daily, "2026-03-27T12:00:00Z"), "2026-03-28T01:30:00Z");
    assert_eq!(
        next(&daily, "2026-03-28T12:00:00Z"),
        "2026-03-30T00:30:00Z",
        "left out on the 29th"
    );
    assert_eq!(next(&daily, "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
    let weekdays = schedule(json!({ "cron": "0  6 * * MON-FRI" }));
    assert_eq!(next(&weekdays, "2026-03-27T06:00:00Z"), "2026-03-30T06:00:00Z");
}

#[test]
fn the_shortest_time_of_a_pattern_is_found() {
    let shortest = |cron: &str| schedule(json!({ "cron": cron })).shortest();
    assert_eq!(shortest("*/5 * * * *"), Some(Duration::from_mins(5)));
    assert_eq!(shortest("0,50 * * * *"), Some(Duration::from_mins(10)));
    assert_eq!(shortest("0 6 * * *"), Some(Duration::from_hours(24)));
    assert_eq!(shortest("0 0 30 2 *"), None);
}

#[test]
fn a_schedule_is_written_as_it_is_read() {
    for value in [
        json!({ "cron": "30 6 * * 1-5", "timezone": "Europe/Berlin" }),
        json!({ "after": "people" }),
        json!("manual"),
        json!({ "every": "15m" }),
        json!({ "days": ["mon"], "at": ["09:00"], "timezone": "Europe/Berlin" }),
    ] {
        assert_eq!(serde_json::to_value(schedule(value.clone())).unwrap(), value);
    }
}

#[test]
fn wrong_hours_and_zones_are_refused() {
    for value in [
        json!({ "days": ["mon"], "at": ["9:00"] }),
        json!({ "days": ["mon"], "at": ["09:30"] }),
        json!({ "days": ["mon"], "at": ["24:00"] }),
        json!({ "days": ["mon"], "at": ["09:00"], "timezone": "Europe/Berln" }),
        json!({ "every": "1h", "at": ["09:00"] }),
        json!({ "every": "10m" }),
        json!({ "cron": "30 6 * *" }),
        json!({ "cron": "61 6 * * *" }),
        json!({ "cron": "30 6 * * * UTC" }),
        json!("daily"),
    ] {
        assert!(serde_json::from_value::<Schedule>(value.clone()).is_err(), "{value}");
    }
}

const DAYS: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
];

/// Steps through time by quarters of an hour, the finest offset there is, until the local clock
/// reaches or jumps over one of the hours on one of the days.
fn searched(calendar: &Calendar, zone: &TimeZone, moment: Timestamp) -> Timestamp {
    let quarter = 15 * 60;
    let mut second = (moment.as_second().div_euclid(quarter) + 1) * quarter;
    loop {
        let due = Timestamp::from_second(second).unwrap();
        let (before, local) = (zone.to_datetime(due - 1.second()), zone.to_datetime(due));
        let day = local.date();
        let on_day = calendar.days.iter().any(|listed| listed.weekday() == day.weekday());
        let reaches = |wanted| before < wanted && wanted <= local;
        if on_day && calendar.at.iter().any(|hour| reaches(hour.of(day))) {
            return due;
        }
        second += quarter;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_next_moment_is_what_a_walk_through_time_finds(
        second in 1_500_000_000_i64..2_000_000_000,
        days in proptest::sample::subsequence(DAYS.to_vec(), 1..=7),
        hours in proptest::collection::vec(0_i8..24, 1..4),
        zone in proptest::sample::select(ZONES.to_vec()),
    ) {
        let moment = Timestamp::from_second(second).unwrap();
        let calendar = Calendar {
            days,
            at: hours.iter().map(|hour| format!("{hour:02}:00").parse().unwrap()).collect(),
            timezone: zone.parse().unwrap(),
        };
        let zone = TimeZone::get(zone).unwrap();
        prop_assert_eq!(calendar.next_after(moment), Some(searched(&calendar, &zone, moment)));
    }

    #[test]
    fn an_interval_is_due_within_its_length(second in -1_000_000_000_i64..2_000_000_000) {
        let moment = Timestamp::from_second(second).unwrap();
        for every in Interval::ALL {
            let due = every.next_after(moment).unwrap();
            prop_assert!(due > moment);
            prop_assert!(due.duration_since(moment).unsigned_abs() <= every.duration());
        }
    }
}
