//! Sends what channels are to be told, and sends it again as long as they are away.

use std::time::Duration;

use ebb_core::{Code, Failure, config::Project, port::Clock};
use ebb_store::AlertMessage;
use ebb_workspace::SystemClock;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{channel::Channel, letter::Letter, watch::Alerts};
use crate::app::{App, Configuration, new_id};

/// What goes wrong at one time is told in one message: it waits so long for the rest.
const GATHER: Duration = Duration::from_secs(2);

/// The outbox is looked at again after this long, whatever it says.
const LOOK: Duration = Duration::from_mins(1);

/// More things than these are not told one by one.
const TOLD: usize = 100;

/// The wait after the first try; each further one doubles it.
const FIRST: Duration = Duration::from_secs(30);

/// No wait is longer.
const LONGEST: Duration = Duration::from_mins(30);

/// After so long a message is given up.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

impl Alerts {
    /// Sends what is due until `stop` says otherwise. What is being sent then is not cut off.
    pub(super) async fn deliver(&self, app: &App, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.send_due(app).await {
                Ok(next) => {
                    let now = SystemClock.now();
                    next.map_or(LOOK, |at| {
                        Duration::try_from(now.duration_until(at)).unwrap_or_default().min(LOOK)
                    })
                }
                Err(failure) => {
                    tracing::error!(code = %failure.code, %failure, "alerts could not be sent");
                    LOOK
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.outbox.notified() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends what is due, each channel by itself, and says when to look again.
    async fn send_due(&self, app: &App) -> Result<Option<Timestamp>, Failure> {
        let due = app.store.due_alert_messages(SystemClock.now(), TOLD, new_id).await?;
        for settled in join_all(due.into_iter().map(|message| self.send(app, message))).await {
            settled?;
        }
        app.store.next_alert_message().await
    }

    async fn send(&self, app: &App, message: AlertMessage) -> Result<(), Failure> {
        let (id, channel) = (message.id.clone(), message.channel.clone());
        let (made_at, attempts) = (message.made_at, message.attempts);
        let configuration = app.configuration();
        let project = &configuration.workspace.project;
        let there = project.channels.contains_key(&channel);
        let letter = Letter::new(message, SystemClock.now(), project.url.as_deref());
        let sent = self.send_letter(&configuration, &channel, &letter).await;
        let now = SystemClock.now();
        let Err(failure) = sent else { return app.store.alert_message_sent(&id, now).await };
        let next = again(attempts, made_at, now, failure.retry_after()).filter(|_| there);
        if next.is_some() {
            tracing::warn!(channel, %failure, "alerts could not be sent yet");
        } else {
            tracing::error!(channel, %failure, "alerts could not be sent, and are given up");
        }
        app.store.alert_message_failed(&id, now, &failure, next).await
    }

    /// Tries a channel of a configuration by a letter that says so.
    pub(crate) async fn try_channel(
        &self,
        configuration: &Configuration,
        channel: &str,
    ) -> Result<(), Failure> {
        let project: &Project = &configuration.workspace.project;
        let letter = Letter::test(new_id(), SystemClock.now(), project.url.as_deref());
        self.send_letter(configuration, channel, &letter).await
    }

    async fn send_letter(
        &self,
        configuration: &Configuration,
        channel: &str,
        letter: &Letter,
    ) -> Result<(), Failure> {
        let workspace = &configuration.workspace;
        let Some(found) = workspace.project.channels.get(channel) else {
            let message = format!("there is no channel `{channel}` any more");
            return Err(Failure::new(Code::AlertNotSent, message));
        };
        let redactor = workspace.redactor();
        let sent = async { Channel::open(found)?.send(letter, &self.transport).await };
        sent.await.map_err(|failure| failure.map_message(|text| redactor.redact(&text)))
    }
}

/// When a message is tried again after `attempts` tries and one more; `None` gives it up.
fn again(
    attempts: i64,
    made_at: Timestamp,
    now: Timestamp,
    asked: Option<Duration>,
) -> Option<Timestamp> {
    if now.duration_since(made_at) >= GIVEN_UP {
        return None;
    }
    let doubled = u32::try_from(attempts).ok().and_then(|attempts| 2_u32.checked_pow(attempts));
    let wait = doubled.and_then(|times| FIRST.checked_mul(times)).unwrap_or(LONGEST);
    let wait = wait.max(asked.unwrap_or_default()).min(LONGEST);
    now.checked_add(wait).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_for_a_day_with_longer_and_longer_waits() {
        let made = Timestamp::UNIX_EPOCH;
        let (mut now, mut waits, mut tries) = (made, Vec::new(), 0);
        while let Some(next) = again(tries, made, now, None) {
            waits.push(next.duration_since(now).as_secs());
            now = next;
            tries += 1;
        }
        assert_eq!(waits[..8], [30, 60, 120, 240, 480, 960, 1800, 1800]);
        assert!((24..25).contains(&now.duration_since(made).as_hours()), "{now}");
    }

    #[test]
    fn a_channel_that_asks_for_a_longer_wait_gets_it_up_to_a_limit() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let made = at(0);
        assert_eq!(again(0, made, at(0), Some(Duration::from_secs(90))), Some(at(90)));
        assert_eq!(again(0, made, at(0), Some(Duration::from_hours(24))), Some(at(1800)));
        assert_eq!(again(i64::MAX, made, at(0), None), Some(at(1800)));
    }
}
