//! Alerts, and the messages that tell of them.

use std::cell::Cell;

use ebb_core::{Code, Failure};
use ebb_store::{Alert, AlertEnd, AlertFilter, AlertMessage, AlertTurn, Database, Ending, Notice};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn alert(id: &str, mapping: &str) -> Alert {
    Alert {
        id: id.to_owned(),
        mapping: mapping.to_owned(),
        trouble: "failed".to_owned(),
        threshold: 0,
        sync: None,
        opened_at: at(1),
        code: Some("S101".to_owned()),
        message: "it failed".to_owned(),
        help: "mend it".to_owned(),
        end: None,
    }
}

fn opened(id: &str, mapping: &str, channels: &[&str]) -> AlertTurn {
    let notice = |channel: &&str| Notice { alert: id.to_owned(), channel: (*channel).to_owned() };
    AlertTurn {
        opened: vec![alert(id, mapping)],
        notices: channels.iter().map(notice).collect(),
        ..AlertTurn::default()
    }
}

fn closed(id: &str, ending: Ending) -> AlertTurn {
    let end = AlertEnd { at: at(9), ending, sync: None };
    AlertTurn { closed: vec![(id.to_owned(), end)], ..AlertTurn::default() }
}

/// What is due, each message as `channel: what it tells`.
async fn due(database: &Database, now: i64) -> Vec<(String, AlertMessage)> {
    let number = Cell::new(0);
    let identity = move || {
        number.set(number.get() + 1);
        format!("{now:05}-{}", number.get())
    };
    let messages = database.due_alert_messages(at(now), 2, identity).await.unwrap();
    let told = |message: AlertMessage| {
        let tells = message.tells.iter().map(|(event, alert)| format!("{event} {}", alert.id));
        let tells: Vec<_> = tells.collect();
        let of = if message.all > 2 { format!(" of {}", message.all) } else { String::new() };
        (format!("{}: {}{of}", message.channel, tells.join(", ")), message)
    };
    messages.into_iter().map(told).collect()
}

fn words(messages: &[(String, AlertMessage)]) -> Vec<&str> {
    messages.iter().map(|(words, _)| words.as_str()).collect()
}

#[tokio::test]
async fn an_alert_is_open_once_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.turn_alerts(opened("1", "a", &["mail"])).await.unwrap();
    database.turn_alerts(opened("2", "a", &["mail"])).await.unwrap();
    database.turn_alerts(opened("3", "b", &[])).await.unwrap();
    let ids = async |mapping: Option<&str>, open, before: Option<&str>| {
        let (mapping, before) = (mapping.map(str::to_owned), before.map(str::to_owned));
        let filter = AlertFilter { mapping, open, before };
        let alerts = database.alerts(filter, 10).await.unwrap();
        alerts.into_iter().map(|alert| alert.id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(None, Some(true), None).await, "3 1", "the second was there already");
    assert_eq!(ids(Some("a"), None, None).await, "1");
    assert_eq!(ids(None, None, Some("3")).await, "1");
    database.turn_alerts(closed("1", Ending::Recovered)).await.unwrap();
    database.turn_alerts(closed("1", Ending::Withdrawn)).await.unwrap();
    assert_eq!(ids(None, Some(true), None).await, "3");
    assert_eq!(ids(None, Some(false), None).await, "1");
    let ended = database.alert("1").await.unwrap().unwrap();
    let end = AlertEnd { at: at(9), ending: Ending::Recovered, sync: None };
    assert_eq!(ended, Alert { end: Some(end), ..alert("1", "a") });
    assert_eq!(database.alert("2").await.unwrap(), None);
    database.turn_alerts(opened("4", "a", &[])).await.unwrap();
    assert_eq!(ids(None, Some(true), None).await, "4 3", "it may come again");
}

#[tokio::test]
async fn who_was_told_of_an_alert_is_told_that_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.turn_alerts(opened("1", "a", &["mail", "slack"])).await.unwrap();
    let messages = due(&database, 10).await;
    assert_eq!(words(&messages), ["mail: opened 1", "slack: opened 1"]);
    for (_, message) in &messages {
        database.alert_message_sent(&message.id, at(10)).await.unwrap();
    }
    assert!(due(&database, 11).await.is_empty(), "nothing is told twice");
    database.turn_alerts(closed("1", Ending::Recovered)).await.unwrap();
    assert_eq!(words(&due(&database, 12).await), ["mail: recovered 1", "slack: recovered 1"]);
    database.turn_alerts(opened("2", "b", &["other"])).await.unwrap();
    database.turn_alerts(closed("2", Ending::Withdrawn)).await.unwrap();
    assert_eq!(words(&due(&database, 13).await)[2..], ["other: opened 2"]);
}

#[tokio::test]
async fn what_comes_up_while_a_channel_is_away_goes_out_together_and_later() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.turn_alerts(opened("1", "a", &["mail"])).await.unwrap();
    let first = due(&database, 10).await;
    let away = Failure::new(Code::AlertNotSent, "nobody answers");
    let id = first[0].1.id.clone();
    database.alert_message_failed(&id, at(10), &away, Some(at(40))).await.unwrap();
    for (id, mapping) in [("2", "b"), ("3", "c"), ("4", "d")] {
        database.turn_alerts(opened(id, mapping, &["mail"])).await.unwrap();
    }
    database.turn_alerts(closed("1", Ending::Recovered)).await.unwrap();
    assert!(due(&database, 39).await.is_empty());
    assert_eq!(database.next_alert_message().await.unwrap(), Some(at(40)));
    // The process dies; another goes on.
    drop(database);
    let database = Database::open(folder.path()).unwrap();
    let again = due(&database, 40).await;
    assert_eq!(words(&again), ["mail: opened 1"]);
    assert_eq!((again[0].1.id.as_str(), again[0].1.attempts), (id.as_str(), 1), "the same message");
    database.alert_message_sent(&id, at(40)).await.unwrap();
    assert_eq!(words(&due(&database, 41).await), ["mail: recovered 1, opened 2 of 4"]);
}

#[tokio::test]
async fn what_became_of_a_notice_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.turn_alerts(opened("1", "a", &["mail", "slack"])).await.unwrap();
    let states = async || {
        let told = database.alert_notices(vec!["1".to_owned()]).await.unwrap();
        let told = told.into_iter().map(|told| (told.channel, told.waits, told.failure.is_some()));
        told.collect::<Vec<_>>()
    };
    let state = |channel: &str, waits, failed| (channel.to_owned(), waits, failed);
    assert_eq!(states().await, [state("mail", true, false), state("slack", true, false)]);
    let messages = due(&database, 10).await;
    database.alert_message_sent(&messages[0].1.id, at(10)).await.unwrap();
    let refused = Failure::new(Code::AlertNotSent, "refused");
    database.alert_message_failed(&messages[1].1.id, at(10), &refused, None).await.unwrap();
    assert_eq!(states().await, [state("mail", false, false), state("slack", false, true)]);
    let channels = database.channel_states().await.unwrap();
    assert_eq!(channels[1].failure, Some(refused));
    assert_eq!(channels[0].failure, None);
}

#[tokio::test]
async fn what_is_long_over_is_forgotten_and_what_is_open_stays() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    database.turn_alerts(opened("1", "a", &["mail"])).await.unwrap();
    database.turn_alerts(opened("2", "b", &["mail"])).await.unwrap();
    let messages = due(&database, 10).await;
    database.alert_message_sent(&messages[0].1.id, at(10)).await.unwrap();
    database.turn_alerts(closed("1", Ending::Withdrawn)).await.unwrap();
    database.forget_alerts(at(9)).await.unwrap();
    assert!(database.alert("1").await.unwrap().is_some());
    database.forget_alerts(at(100)).await.unwrap();
    assert!(database.alert("1").await.unwrap().is_none());
    assert!(database.alert("2").await.unwrap().is_some());
    assert_eq!(database.channel_states().await.unwrap().len(), 1, "it tells of what is open");
}
