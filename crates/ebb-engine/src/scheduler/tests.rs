use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use serde_json::json;

use super::{Cause, Entry, Outlook, Start, Timetable, WhyNot, Work};

fn at(text: &str) -> Timestamp {
    format!("2026-03-02T{text}Z").parse().unwrap()
}

fn entry(schedule: serde_json::Value) -> Entry {
    Entry {
        schedule: serde_json::from_value(schedule).unwrap(),
        source: "db".to_owned(),
        since: at("10:00:00"),
        at_once: false,
        off: None,
    }
}

fn hourly() -> Entry {
    entry(json!({ "every": "1h" }))
}

fn names(starts: &[Start]) -> Vec<&str> {
    starts.iter().map(|start| start.mapping.as_str()).collect()
}

#[test]
fn a_mapping_starts_when_it_is_due_and_then_waits_for_the_next_moment() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    assert_eq!(table.wakes_at(), Some(at("11:00:00")));
    assert_eq!(table.starts(at("10:59:59")), []);
    let starts = table.starts(at("11:00:00"));
    let cause = Cause::Schedule { due: at("11:00:00") };
    assert_eq!(starts, [Start { mapping: "people".to_owned(), work: Work::Sync, cause }]);
    assert_eq!(table.outlook("people"), Some(Outlook::Running));
    table.ended("people", true);
    assert_eq!(table.outlook("people"), Some(Outlook::Due { at: at("12:00:00") }));
}

#[test]
fn what_was_missed_starts_once_and_tells_its_moment() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    let starts = table.starts(at("15:30:00"));
    assert_eq!(starts[0].cause, Cause::Schedule { due: at("11:00:00") });
    table.ended("people", true);
    assert_eq!(table.starts(at("15:59:59")), []);
    assert_eq!(table.wakes_at(), Some(at("16:00:00")));
}

#[test]
fn what_is_due_and_has_no_place_waits_since_its_moment() {
    let mut table = Timetable::default();
    table.set_places("db", 1);
    table.set("people", hourly());
    table.set("orders", hourly());
    assert_eq!(table.waiting(), []);
    table.starts(at("11:00:05"));
    let waits = |name: &str| [(name.to_owned(), at("11:00:00"))];
    assert_eq!(table.waiting(), waits("people"));
    table.request("orders", Work::Sync);
    assert_eq!(table.waiting(), waits("people"), "what people ask for is due at no moment");
    table.ended("orders", true);
    table.starts(at("11:20:00"));
    assert_eq!(table.waiting(), []);
}

#[test]
fn a_mapping_that_was_just_switched_on_starts_at_once() {
    let mut table = Timetable::default();
    table.set("people", Entry { at_once: true, ..hourly() });
    assert_eq!(names(&table.starts(at("10:00:00"))), ["people"]);
    table.ended("people", true);
    assert_eq!(table.wakes_at(), Some(at("11:00:00")));
}

#[test]
fn syncs_of_one_source_wait_for_each_other_in_the_order_in_which_they_were_due() {
    let mut table = Timetable::default();
    for name in ["a", "b", "c", "d"] {
        table.set(name, hourly());
    }
    table.set("elsewhere", Entry { source: "other".to_owned(), ..hourly() });
    assert_eq!(names(&table.starts(at("11:00:00"))), ["a", "b", "elsewhere"]);
    assert_eq!(table.outlook("d"), Some(Outlook::Queued { running: 2, before: 1 }));
    table.ended("b", true);
    assert_eq!(names(&table.starts(at("11:00:05"))), ["c"]);
    table.set_places("db", 3);
    assert_eq!(names(&table.starts(at("11:00:06"))), ["d"]);
}

#[test]
fn a_mapping_that_is_due_while_it_runs_starts_once_more_behind_itself() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    assert_eq!(table.starts(at("11:00:00")).len(), 1);
    assert_eq!(table.starts(at("13:00:00")), [], "one sync of a mapping at a time");
    assert!(table.request("people", Work::Sync));
    assert_eq!(table.starts(at("13:00:01")), []);
    table.ended("people", true);
    let starts = table.starts(at("13:10:00"));
    assert_eq!(starts[0].cause, Cause::Schedule { due: at("12:00:00") });
    table.ended("people", true);
    assert_eq!(table.starts(at("13:20:00")), []);
}

#[test]
fn a_change_counts_from_now_and_what_is_the_same_keeps_its_times() {
    let mut table = Timetable::default();
    let later = |entry: Entry| Entry { since: at("10:30:00"), ..entry };
    table.update("people", later(hourly()));
    assert_eq!(table.wakes_at(), Some(at("10:30:00")), "an interval that is new is due at once");
    table.set("people", hourly());
    table.update("people", later(hourly()));
    assert_eq!(table.wakes_at(), Some(at("11:00:00")));
    table.update("people", later(entry(json!({ "every": "2h" }))));
    assert_eq!(table.wakes_at(), Some(at("12:00:00")), "the next full two hours, not at once");
    table.update("people", later(Entry { off: Some(WhyNot::SwitchedOff), ..hourly() }));
    assert_eq!(table.wakes_at(), None);
    table.update("people", later(hourly()));
    assert_eq!(table.wakes_at(), Some(at("10:30:00")));
    table.update("manual", later(entry(json!("manual"))));
    table.retain(|name| name == "manual");
    assert_eq!((table.wakes_at(), table.outlook("people")), (None, None));
}

#[test]
fn different_work_on_a_mapping_is_done_in_order_and_the_same_once() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    let replay = Work::Replay { of: ebb_core::SyncId::from_parts(1, 1) };
    for work in [Work::Sync, replay, Work::Sync, Work::ApprovedSync, replay] {
        assert!(table.request("people", work));
    }
    table.set("people", hourly());
    for expected in [Work::Sync, replay, Work::ApprovedSync] {
        let [start] = table.starts(at("10:00:00")).try_into().unwrap();
        assert_eq!((start.work, start.cause), (expected, Cause::Request));
        assert_eq!(table.starts(at("10:00:00")), [], "one at a time");
        table.ended("people", false);
    }
    assert_eq!(table.starts(at("10:00:00")), []);
}

#[test]
fn who_follows_another_starts_when_that_ended_well() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    table.set("emails", entry(json!({ "after": "people" })));
    let follows = Outlook::After { mapping: "people".to_owned() };
    assert_eq!(table.outlook("emails"), Some(follows));
    table.starts(at("11:00:00"));
    table.ended("people", false);
    assert_eq!(table.starts(at("11:05:00")), []);
    table.starts(at("12:00:00"));
    table.ended("people", true);
    let [start] = table.starts(at("12:05:00")).try_into().unwrap();
    assert_eq!(
        (start.mapping.as_str(), start.cause),
        ("emails", Cause::After { mapping: "people".to_owned() })
    );
}

#[test]
fn who_follows_a_job_of_dbt_cloud_starts_when_a_run_of_it_ended_well() {
    let mut table = Timetable::default();
    let follower = || entry(json!({ "after_dbt_cloud_job": 7 }));
    table.set("people", follower());
    table.set("emails", entry(json!({ "after_dbt_cloud_job": 8 })));
    table.set("off", Entry { off: Some(WhyNot::SwitchedOff), ..follower() });
    assert_eq!(table.outlook("people"), Some(Outlook::AfterDbtCloudJob { job: 7 }));
    assert_eq!(table.wakes_at(), None);
    assert_eq!(table.dbt_cloud_job_ended(9, 1), Vec::<String>::new());
    assert_eq!(table.dbt_cloud_job_ended(7, 1), ["people"]);
    let [start] = table.starts(at("10:00:00")).try_into().unwrap();
    assert_eq!(
        (start.mapping.as_str(), start.cause),
        ("people", Cause::DbtCloud { job: 7, run: 1 })
    );
    // What comes while it runs is done behind it, once.
    for run in [2, 3] {
        assert_eq!(table.dbt_cloud_job_ended(7, run), ["people"]);
    }
    assert_eq!(table.starts(at("10:01:00")), []);
    table.ended("people", true);
    let [start] = table.starts(at("10:02:00")).try_into().unwrap();
    assert_eq!(start.cause, Cause::DbtCloud { job: 7, run: 2 });
    table.ended("people", true);
    assert_eq!(table.starts(at("10:03:00")), []);
}

#[test]
fn what_is_off_says_why_and_starts_only_on_request() {
    let mut table = Timetable::default();
    table.set("off", Entry { off: Some(WhyNot::SwitchedOff), ..hourly() });
    table.set("manual", entry(json!("manual")));
    assert_eq!(table.wakes_at(), None);
    assert_eq!(table.outlook("off"), Some(Outlook::Idle { why: WhyNot::SwitchedOff }));
    assert_eq!(table.outlook("manual"), Some(Outlook::Idle { why: WhyNot::Manual }));
    assert!(table.request("manual", Work::Sync));
    assert!(!table.request("unknown", Work::Sync));
    assert_eq!(table.starts(at("10:00:00"))[0].cause, Cause::Request);
}

#[test]
fn a_mapping_that_moves_to_another_source_keeps_its_places_straight() {
    let mut table = Timetable::default();
    table.set_places("db", 1);
    for name in ["a", "b"] {
        table.set(name, hourly());
    }
    assert_eq!(names(&table.starts(at("11:00:00"))), ["a"]);
    let elsewhere = || Entry { source: "other".to_owned(), since: at("11:00:00"), ..hourly() };
    table.set("a", elsewhere());
    table.set("b", elsewhere());
    assert_eq!(names(&table.starts(at("11:00:01"))), ["b"], "it waits at the other source now");
    table.forget("a");
    table.ended("a", true);
    table.set("c", hourly());
    assert!(table.request("c", Work::Sync));
    assert_eq!(names(&table.starts(at("11:00:02"))), ["c"], "the place at the first one is free");
}

#[test]
fn while_it_is_paused_only_what_sends_nothing_starts_and_all_goes_on_then() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    table.set("orders", entry(json!({ "every": "2h" })));
    table.set("manual", entry(json!("manual")));
    table.pause(at("13:30:00"));
    let paused = Some(Outlook::Paused { until: at("13:30:00") });
    assert_eq!(table.outlook("people"), paused, "it would be due before");
    assert_eq!(table.outlook("manual"), Some(Outlook::Idle { why: WhyNot::Manual }));
    assert_eq!(table.starts(at("12:00:00")), []);
    assert_eq!((table.outlook("people"), table.outlook("orders")), (paused.clone(), paused));
    assert!(table.request("manual", Work::Rebase));
    assert_eq!(names(&table.starts(at("12:01:00"))), ["manual"]);
    assert_eq!(table.wakes_at(), Some(at("13:00:00")));
    assert_eq!(table.starts(at("13:00:00")), []);
    assert_eq!(table.wakes_at(), Some(at("13:30:00")));
    table.ended("manual", true);
    let starts = table.starts(at("13:30:00"));
    assert_eq!(names(&starts), ["people", "orders"], "each once");
    assert_eq!(starts[0].cause, Cause::Schedule { due: at("11:00:00") });
}

#[test]
fn a_rebase_goes_before_what_would_send() {
    let mut table = Timetable::default();
    table.set("people", hourly());
    assert_eq!(names(&table.starts(at("11:00:00"))), ["people"]);
    for work in [Work::Sync, Work::Backfill, Work::Rebase] {
        assert!(table.request("people", work));
    }
    let mut ran = Vec::new();
    for _ in 0..3 {
        table.ended("people", false);
        ran.extend(table.starts(at("11:00:01")).into_iter().map(|start| start.work));
    }
    assert_eq!(ran, [Work::Rebase, Work::Sync, Work::Backfill]);
}

/// What may happen to a timetable.
#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Set(u8, u8, u8),
    Remove(u8),
    Request(u8),
    End(u8, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_i64..90).prop_map(Step::Wait),
        (0_u8..6, 0_u8..4, 0_u8..2)
            .prop_map(|(name, schedule, source)| Step::Set(name, schedule, source)),
        (0_u8..6).prop_map(Step::Remove),
        (0_u8..6).prop_map(Step::Request),
        (0_u8..6, any::<bool>()).prop_map(|(name, well)| Step::End(name, well)),
    ];
    proptest::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn no_mapping_runs_twice_and_no_source_more_than_it_may(steps in steps()) {
        let mut table = Timetable::default();
        let mut now = at("10:00:00");
        let mut sources: BTreeMap<String, String> = BTreeMap::new();
        let mut running: BTreeMap<String, String> = BTreeMap::new();
        let name = |number: u8| format!("m{number}");
        for step in steps {
            match step {
                Step::Wait(minutes) => now += minutes.minutes(),
                Step::Set(number, schedule, source) => {
                    let schedule = match schedule {
                        0 => json!("manual"),
                        1 => json!({ "every": "15m" }),
                        2 => json!({ "every": "1h" }),
                        _ => json!({ "after": "m0" }),
                    };
                    let source = format!("s{source}");
                    sources.insert(name(number), source.clone());
                    table.set(&name(number), Entry { source, since: now, ..entry(schedule) });
                }
                Step::Remove(number) => {
                    sources.remove(&name(number));
                    table.forget(&name(number));
                }
                Step::Request(number) => {
                    prop_assert_eq!(table.request(&name(number), Work::Sync), sources.contains_key(&name(number)));
                }
                Step::End(number, well) => {
                    running.remove(&name(number));
                    table.ended(&name(number), well);
                }
            }
            for start in table.starts(now) {
                let source = sources[&start.mapping].clone();
                prop_assert!(running.insert(start.mapping, source).is_none(), "I6");
            }
            for source in running.values().collect::<BTreeSet<_>>() {
                let at_source = running.values().filter(|other| *other == source).count();
                prop_assert!(at_source <= super::timetable::PLACES);
            }
            prop_assert!(table.wakes_at().is_none_or(|wakes| wakes > now), "nothing due is forgotten");
        }
        // When all has ended and nothing new is due, nothing is left waiting.
        for _ in 0..40 {
            for mapping in std::mem::take(&mut running).into_keys() {
                table.ended(&mapping, false);
            }
            running.extend(table.starts(now).into_iter().map(|start| (start.mapping, String::new())));
        }
        prop_assert!(running.is_empty());
        for mapping in sources.keys() {
            let outlook = table.outlook(mapping).unwrap();
            let waits = matches!(outlook, Outlook::Running | Outlook::Queued { .. });
            prop_assert!(!waits, "{} is {:?}", mapping, outlook);
        }
    }
}
