//! From what is open and what is found to what is opened and closed: one alert per occurrence.

use std::collections::BTreeMap;

use ebb_store::{Alert, AlertEnd, AlertTurn, Ending, Notice};
use jiff::Timestamp;

use super::{
    condition::{Condition, Watched},
    judge::{Facts, Finding, judge},
};

/// Alerts that are open, by mapping and condition.
pub(super) type Open = BTreeMap<(String, Condition), Alert>;

/// What changes of a mapping's alerts.
pub(super) fn turn(
    open: &Open,
    mapping: &str,
    watched: &Watched,
    facts: &Facts,
    identity: &impl Fn() -> String,
) -> AlertTurn {
    let mut turn = AlertTurn::default();
    for (condition, channels) in watched {
        let there = open.get(&(mapping.to_owned(), *condition));
        match (there, judge(mapping, *condition, facts)) {
            (None, Finding::Wrong(wrong)) => {
                let id = identity();
                turn.notices.extend(
                    channels
                        .iter()
                        .map(|channel| Notice { alert: id.clone(), channel: channel.clone() }),
                );
                turn.opened.push(Alert {
                    id,
                    mapping: mapping.to_owned(),
                    trouble: condition.trouble.as_str().to_owned(),
                    threshold: condition.threshold,
                    sync: by_sync(*condition, facts),
                    opened_at: facts.now,
                    code: wrong.code.map(|code| code.as_str().to_owned()),
                    message: wrong.message,
                    help: wrong.help,
                    end: None,
                });
            }
            (Some(alert), Finding::Well) => {
                let end = AlertEnd {
                    at: facts.now,
                    ending: Ending::Recovered,
                    sync: by_sync(*condition, facts),
                };
                turn.closed.push((alert.id.clone(), end));
            }
            (None, Finding::Well | Finding::Unknown)
            | (Some(_), Finding::Wrong(_) | Finding::Unknown) => {}
        }
    }
    turn
}

/// The sync that shows how it is: what has not started has none.
fn by_sync(condition: Condition, facts: &Facts) -> Option<String> {
    use ebb_core::config::Trouble;
    match condition.trouble {
        Trouble::Late => None,
        Trouble::Failed
        | Trouble::Partial
        | Trouble::Held
        | Trouble::DeliveryRate
        | Trouble::VolumeChange => facts.latest.as_ref().map(|latest| latest.id.to_string()),
    }
}

/// Closes what nobody watches any more, without a word to anybody.
pub(super) fn withdraw(
    open: &Open,
    now: Timestamp,
    watched: impl Fn(&str, Condition) -> bool,
) -> AlertTurn {
    let gone = open.iter().filter(|((mapping, condition), _)| !watched(mapping, *condition));
    let end = AlertEnd { at: now, ending: Ending::Withdrawn, sync: None };
    let closed = gone.map(|(_, alert)| (alert.id.clone(), end.clone())).collect();
    AlertTurn { closed, ..AlertTurn::default() }
}

/// Takes a turn over into what is open.
pub(super) fn apply(open: &mut Open, turn: &AlertTurn) {
    open.retain(|_, alert| !turn.closed.iter().any(|(id, _)| *id == alert.id));
    open.extend(turn.opened.iter().filter_map(|alert| Some((key(alert)?, alert.clone()))));
}

/// What an alert is of; `None` if a newer Ebb knows troubles that this one does not.
pub(super) fn key(alert: &Alert) -> Option<(String, Condition)> {
    let trouble = ebb_core::config::Trouble::named(&alert.trouble)?;
    Some((alert.mapping.clone(), Condition { trouble, threshold: alert.threshold }))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ebb_core::{SyncId, config::Trouble, port::Status};
    use proptest::prelude::*;

    use super::*;
    use crate::alerts::judge::Latest;

    const FAILED: Condition = Condition { trouble: Trouble::Failed, threshold: 0 };
    const HELD: Condition = Condition { trouble: Trouble::Held, threshold: 0 };

    fn after(status: Status) -> Facts {
        let id = SyncId::from_parts(1, 1);
        let latest = Latest { id, status, failure: None, extracted: 1, delivered: 1 };
        Facts { latest: Some(latest), ..Facts::default() }
    }

    /// What statuses in a row tell: `+` opened, `-` recovered, by trouble.
    fn story(statuses: &[Status]) -> String {
        let watched = Watched::from([(FAILED, ["mail".to_owned()].into()), (HELD, [].into())]);
        let (mut open, number, mut told) = (Open::new(), Cell::new(0), Vec::new());
        let identity = || {
            number.set(number.get() + 1);
            number.get().to_string()
        };
        for status in statuses {
            let turn = turn(&open, "m", &watched, &after(*status), &identity);
            let mut words: Vec<_> =
                turn.opened.iter().map(|alert| format!("+{}", alert.trouble)).collect();
            for (id, _) in &turn.closed {
                let of = open.iter().find(|(_, alert)| alert.id == *id);
                words.extend(of.map(|(_, alert)| format!("-{}", alert.trouble)));
            }
            let failed = turn.opened.iter().any(|alert| alert.trouble == "failed");
            assert_eq!(turn.notices.len(), usize::from(failed), "of the other nobody is told");
            apply(&mut open, &turn);
            told.push(if words.is_empty() { ".".to_owned() } else { words.join("") });
        }
        told.join(" ")
    }

    #[test]
    fn an_occurrence_is_told_once_and_its_recovery_once() {
        use Status::{Canceled, Failed, Held, Partial, Succeeded};
        assert_eq!(
            story(&[Succeeded, Failed, Failed, Canceled, Failed, Succeeded, Succeeded, Failed]),
            ". +failed . . . -failed . +failed"
        );
        assert_eq!(story(&[Held, Held, Failed, Partial]), "+held . +failed -failed-held");
    }

    #[test]
    fn what_nobody_watches_is_withdrawn() {
        let watched = Watched::from([(FAILED, [].into())]);
        let mut open = Open::new();
        let first = turn(&open, "m", &watched, &after(Status::Failed), &|| "1".to_owned());
        apply(&mut open, &first);
        let now = Timestamp::UNIX_EPOCH;
        assert!(withdraw(&open, now, |mapping, _| mapping == "m").closed.is_empty());
        let gone = withdraw(&open, now, |_, _| false);
        assert_eq!(gone.closed.first().unwrap().1.ending, Ending::Withdrawn);
        apply(&mut open, &gone);
        assert!(open.is_empty());
    }

    proptest! {
        #[test]
        fn opened_and_closed_take_turns(picks in proptest::collection::vec(0_usize..5, 0..40)) {
            let statuses = [
                Status::Succeeded, Status::Partial, Status::Failed, Status::Canceled, Status::Held,
            ];
            let told = story(&picks.iter().map(|pick| statuses[*pick]).collect::<Vec<_>>());
            for trouble in ["failed", "held"] {
                let marks: Vec<_> = told
                    .match_indices(trouble)
                    .filter_map(|(at, _)| told.get(at - 1..at))
                    .collect();
                prop_assert!(marks.iter().step_by(2).all(|mark| *mark == "+"), "{told}");
                prop_assert!(marks.iter().skip(1).step_by(2).all(|mark| *mark == "-"), "{told}");
            }
        }
    }
}
