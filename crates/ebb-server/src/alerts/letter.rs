//! What a channel is sent: one text for people, one document for programs.

use ebb_core::config::Trouble;
use ebb_store::{Alert, AlertMessage, NoticeEvent};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::turn::key;
use crate::prose::capitalized;

/// A message to a channel, in no channel's form yet.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// The same at every try, so that who gets it twice can tell.
    pub(super) id: String,
    /// When it was put together.
    pub(super) made_at: Timestamp,
    /// When it is sent, this time.
    pub(super) sent_at: Timestamp,
    /// Where the page is, without a slash at its end.
    pub(super) root: Option<String>,
    tells: Vec<(Event, Alert)>,
    /// How many more things there are than it tells one by one.
    more: i64,
}

/// What of an alert is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Opened,
    Recovered,
    /// Nothing happened: somebody tries the channel.
    Test,
}

impl Event {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Recovered => "recovered",
            Self::Test => "test",
        }
    }
}

impl From<NoticeEvent> for Event {
    fn from(event: NoticeEvent) -> Self {
        match event {
            NoticeEvent::Opened => Self::Opened,
            NoticeEvent::Recovered => Self::Recovered,
        }
    }
}

impl Letter {
    /// The letter of a message.
    pub(super) fn new(message: AlertMessage, now: Timestamp, root: Option<&str>) -> Self {
        let AlertMessage { id, made_at, tells, all, .. } = message;
        let told = i64::try_from(tells.len()).unwrap_or(i64::MAX);
        Self {
            id,
            made_at,
            sent_at: now,
            root: cut(root),
            tells: tells.into_iter().map(|(event, alert)| (event.into(), alert)).collect(),
            more: all.saturating_sub(told),
        }
    }

    /// A letter by which somebody tries a channel.
    pub(super) fn test(id: String, now: Timestamp, root: Option<&str>) -> Self {
        let alert = Alert {
            id: id.clone(),
            mapping: String::new(),
            trouble: "test".to_owned(),
            threshold: 0,
            sync: None,
            opened_at: now,
            code: None,
            message: "this is a test: alerts reach this channel".to_owned(),
            help: "Nothing is to be done".to_owned(),
            end: None,
        };
        let tells = vec![(Event::Test, alert)];
        Self { id, made_at: now, sent_at: now, root: cut(root), tells, more: 0 }
    }

    /// One line that says what it is about.
    pub(super) fn subject(&self) -> String {
        if let [(event, alert)] = self.tells.as_slice()
            && self.more == 0
        {
            return format!("[Ebb] {}", headline(*event, alert));
        }
        let all = i64::try_from(self.tells.len()).unwrap_or(i64::MAX).saturating_add(self.more);
        format!("[Ebb] {all} alerts")
    }

    /// The whole as plain text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (event, alert) in &self.tells {
            text.push_str(&headline(*event, alert));
            text.push('\n');
            for line in self.lines(*event, alert) {
                text.push_str(&line.replace('`', ""));
                text.push('\n');
            }
            text.push('\n');
        }
        if self.more > 0 {
            text.push_str("And ");
            text.push_str(&self.more.to_string());
            text.push_str(" more, in the page under Alerts.\n\n");
        }
        text.push_str("You get this because an alert rule of Ebb names this channel.\n");
        text
    }

    /// What an incoming webhook of Slack takes.
    pub(super) fn slack(&self) -> Value {
        let told = self.tells.iter().map(|(event, alert)| {
            let lines = self.lines(*event, alert).into_iter().map(|line| escaped(&line));
            let lines: Vec<_> = lines.collect();
            format!("*{}*\n{}", escaped(&headline(*event, alert)), lines.join("\n"))
        });
        let more =
            (self.more > 0).then(|| format!("And {} more, in the page under Alerts", self.more));
        let text: Vec<_> = told.chain(more).collect();
        json!({ "text": text.join("\n\n") })
    }

    /// What a program is sent.
    pub(super) fn document(&self) -> Value {
        let alerts = self.tells.iter().map(|(event, alert)| {
            let threshold = key(alert).and_then(|(_, condition)| measure(condition.trouble, alert));
            json!({
                "event": event.as_str(),
                "id": alert.id,
                "mapping": alert.mapping,
                "trouble": alert.trouble,
                "threshold": threshold,
                "sync": alert.sync,
                "opened_at": alert.opened_at,
                "closed_at": alert.end.as_ref().map(|end| end.at),
                "code": alert.code,
                "message": alert.message,
                "help": alert.help,
                "url": self.link(alert),
            })
        });
        let alerts: Vec<_> = alerts.collect();
        json!({ "id": self.id, "made_at": self.made_at, "alerts": alerts, "more": self.more })
    }

    fn lines(&self, event: Event, alert: &Alert) -> Vec<String> {
        let mut lines = Vec::new();
        match (event, &alert.end) {
            (Event::Recovered, Some(end)) => {
                let lasted = end.at.duration_since(alert.opened_at).unsigned_abs().as_secs() / 60;
                lines.push(format!("It was: {}", sentence(&alert.message)));
                lines.push(format!("It lasted {} h {} min.", lasted / 60, lasted % 60));
            }
            (Event::Opened | Event::Recovered | Event::Test, _) => {
                lines.push(sentence(&alert.message));
                lines.push(format!("What to do: {}.", alert.help.trim_end_matches('.')));
            }
        }
        lines.extend(self.link(alert));
        lines
    }

    /// The page on which people see more.
    fn link(&self, alert: &Alert) -> Option<String> {
        let root = self.root.as_ref()?;
        Some(match &alert.sync {
            Some(sync) => format!("{root}/syncs/{sync}"),
            None if alert.mapping.is_empty() => format!("{root}/alerts"),
            None => format!("{root}/mappings/{}", alert.mapping),
        })
    }
}

fn cut(root: Option<&str>) -> Option<String> {
    root.map(|root| root.trim_end_matches('/').to_owned())
}

/// The measure in the unit of the configuration: seconds or a share.
#[expect(clippy::cast_precision_loss, reason = "shares have six digits")]
fn measure(trouble: Trouble, alert: &Alert) -> Option<Value> {
    match trouble {
        Trouble::Failed | Trouble::Partial | Trouble::Held => None,
        Trouble::Late => Some(alert.threshold.into()),
        Trouble::DeliveryRate | Trouble::VolumeChange => {
            Some((alert.threshold as f64 / 1e6).into())
        }
    }
}

fn headline(event: Event, alert: &Alert) -> String {
    let what = key(alert).map_or("Something is wrong", |(_, condition)| words(condition.trouble));
    match event {
        Event::Opened => format!("{what}: {}", alert.mapping),
        Event::Recovered => format!("Recovered: {} ({})", alert.mapping, what.to_lowercase()),
        Event::Test => "A test".to_owned(),
    }
}

/// A trouble in the words of people.
pub(crate) const fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Failed => "Sync failed",
        Trouble::Partial => "Sync partial",
        Trouble::Held => "Held for approval",
        Trouble::Late => "Not started on time",
        Trouble::DeliveryRate => "Low delivery rate",
        Trouble::VolumeChange => "Volume changed",
    }
}

/// A message as a sentence: with a capital letter, unless it begins with a name, and a point.
fn sentence(text: &str) -> String {
    format!("{}.", capitalized(text))
}

/// Slack takes these three for its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ebb_store::{AlertEnd, Ending};

    use super::*;

    fn alert(mapping: &str, trouble: &str) -> Alert {
        Alert {
            id: "01a".to_owned(),
            mapping: mapping.to_owned(),
            trouble: trouble.to_owned(),
            threshold: 900_000,
            sync: Some("01s".to_owned()),
            opened_at: "2026-03-02T10:00:00Z".parse().unwrap(),
            code: Some("S101".to_owned()),
            message: format!("the sync of `{mapping}` failed: <db> & more"),
            help: "Check the host".to_owned(),
            end: None,
        }
    }

    fn letter(tells: Vec<(NoticeEvent, Alert)>, all: i64) -> Letter {
        let message = AlertMessage {
            id: "01m".to_owned(),
            channel: "mail".to_owned(),
            made_at: Timestamp::UNIX_EPOCH,
            attempts: 0,
            tells,
            all,
        };
        Letter::new(message, Timestamp::UNIX_EPOCH, Some("https://ebb.example.com/"))
    }

    fn recovered() -> Alert {
        let end = AlertEnd {
            at: "2026-03-02T12:05:30Z".parse().unwrap(),
            ending: Ending::Recovered,
            sync: None,
        };
        Alert { end: Some(end), ..alert("b", "failed") }
    }

    #[test]
    fn one_thing_is_told_in_the_subject_and_several_are_counted() {
        let one = letter(vec![(NoticeEvent::Opened, alert("a", "failed"))], 1);
        assert_eq!(one.subject(), "[Ebb] Sync failed: a");
        let over = letter(vec![(NoticeEvent::Recovered, recovered())], 1);
        assert_eq!(over.subject(), "[Ebb] Recovered: b (sync failed)");
        assert_eq!(letter(Vec::new(), 12).subject(), "[Ebb] 12 alerts");
    }

    #[test]
    fn people_read_what_happened_and_what_to_do() {
        let both = vec![
            (NoticeEvent::Opened, alert("a", "failed")),
            (NoticeEvent::Recovered, recovered()),
        ];
        insta::assert_snapshot!(letter(both, 5).text(), @r"
        Sync failed: a
        The sync of a failed: <db> & more.
        What to do: Check the host.
        https://ebb.example.com/syncs/01s

        Recovered: b (sync failed)
        It was: The sync of b failed: <db> & more.
        It lasted 2 h 5 min.
        https://ebb.example.com/syncs/01s

        And 3 more, in the page under Alerts.

        You get this because an alert rule of Ebb names this channel.
        ");
    }

    #[test]
    fn slack_reads_no_markup_in_what_is_told() {
        let one = letter(vec![(NoticeEvent::Opened, alert("a", "failed"))], 1);
        insta::assert_snapshot!(one.slack()["text"].as_str().unwrap(), @r"
        *Sync failed: a*
        The sync of `a` failed: &lt;db&gt; &amp; more.
        What to do: Check the host.
        https://ebb.example.com/syncs/01s
        ");
    }

    #[test]
    fn programs_read_fields() {
        let rate = Alert { sync: None, code: None, ..alert("a", "delivery_rate") };
        let one = letter(vec![(NoticeEvent::Opened, rate)], 1);
        insta::assert_json_snapshot!(one.document(), @r#"
        {
          "id": "01m",
          "made_at": "1970-01-01T00:00:00Z",
          "alerts": [
            {
              "event": "opened",
              "id": "01a",
              "mapping": "a",
              "trouble": "delivery_rate",
              "threshold": 0.9,
              "sync": null,
              "opened_at": "2026-03-02T10:00:00Z",
              "closed_at": null,
              "code": null,
              "message": "the sync of `a` failed: <db> & more",
              "help": "Check the host",
              "url": "https://ebb.example.com/mappings/a"
            }
          ],
          "more": 0
        }
        "#);
    }

    #[test]
    fn a_test_says_that_it_is_one() {
        let test = Letter::test("01m".to_owned(), Timestamp::UNIX_EPOCH, None);
        assert_eq!(test.subject(), "[Ebb] A test");
        assert_eq!(test.document()["alerts"][0]["event"], "test");
        assert!(test.text().contains("This is a test: alerts reach this channel."));
    }
}
