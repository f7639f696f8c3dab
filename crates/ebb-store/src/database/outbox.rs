//! Messages to channels that are still to be sent, or were: an alert outlives the process and the mail
//! server that are away when it is opened.
//!
//! A channel has one message under way at a time, so what is told later arrives later. What comes up
//! meanwhile waits and goes out as one message.

use ebb_core::Failure;
use jiff::Timestamp;

use super::{
    Database, Fault,
    alerts::{Alert, NoticeEvent, alert},
    people::moment,
    sql::{Row, params},
};

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertMessage {
    /// Its identity: the same at every try.
    pub id: String,
    /// The channel's name.
    pub channel: String,
    /// When it was put together.
    pub made_at: Timestamp,
    /// How often it was tried in vain.
    pub attempts: i64,
    /// What it tells, the oldest first; the first of them, if there are many.
    pub tells: Vec<(NoticeEvent, Alert)>,
    /// How many things it tells.
    pub all: i64,
}

/// Where the latest message of a channel stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelState {
    /// The channel's name.
    pub channel: String,
    /// When the message was put together.
    pub made_at: Timestamp,
    /// When it is tried again; `None` once it was sent or given up.
    pub next_at: Option<Timestamp>,
    /// Why the latest try did not work; `None` if it was sent, or not tried yet.
    pub failure: Option<Failure>,
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The alert.
    pub alert: String,
    /// What of it.
    pub event: NoticeEvent,
    /// The channel's name.
    pub channel: String,
    /// Whether its message is still to be sent.
    pub waits: bool,
    /// Why the latest try did not work.
    pub failure: Option<Failure>,
}

impl Database {
    /// Makes one message of everything that waits, for each channel that has none under way, and gives
    /// the messages that are due, each with `limit` of what it tells at most. `identity` makes
    /// identities that sort by time.
    pub async fn due_alert_messages(
        &self,
        now: Timestamp,
        limit: usize,
        identity: impl Fn() -> String + Send + 'static,
    ) -> Result<Vec<AlertMessage>, Failure> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let waits = self
            .read(|transaction| {
                let query = "select exists (select 1 from alert_notice where message is null)
                             or exists (select 1 from alert_message where next_at is not null)";
                transaction.query_row(query, params![], |row| row.get::<bool>(0))
            })
            .await?;
        if !waits {
            return Ok(Vec::new());
        }
        self.write(move |transaction, _| {
            let channels: Vec<String> = transaction.query(
                "select distinct channel from alert_notice where message is null
                 and not exists (select 1 from alert_message
                                 where alert_message.channel = alert_notice.channel
                                   and alert_message.next_at is not null)",
                params![],
                |row| row.get(0),
            )?;
            for channel in channels {
                let id = identity();
                transaction.execute(
                    "insert into alert_message (id, channel, made_at, attempts, next_at)
                     values (?1, ?2, ?3, 0, ?4)",
                    params![id, channel, now.as_microsecond(), now.as_microsecond()],
                )?;
                transaction.execute(
                    "update alert_notice set message = ?1 where channel = ?2 and message is null",
                    params![id, channel],
                )?;
            }
            let mut messages = transaction.query(
                "select id, channel, made_at, attempts from alert_message where next_at <= ?1 order by id",
                params![now.as_microsecond()],
                |row| {
                    Ok(AlertMessage {
                        id: row.get(0)?,
                        channel: row.get(1)?,
                        made_at: moment(row.get(2)?)?,
                        attempts: row.get(3)?,
                        tells: Vec::new(),
                        all: 0,
                    })
                },
            )?;
            for message in &mut messages {
                message.tells = transaction.query(
                    "select alert.id, alert.mapping, alert.trouble, alert.threshold, alert.sync,
                         alert.opened_at, alert.code, alert.message, alert.help, alert.closed_at,
                         alert.ending, alert.closing_sync, alert_notice.event
                     from alert_notice join alert on alert.id = alert_notice.alert
                     where alert_notice.message = ?1 order by alert.id, alert_notice.event limit ?2",
                    params![message.id, limit],
                    |row| Ok((NoticeEvent::read(row.get(12)?)?, alert(row)?)),
                )?;
                let count = "select count(*) from alert_notice where message = ?1";
                message.all = transaction.query_row(count, params![message.id], |row| row.get(0))?;
            }
            Ok(messages)
        })
        .await
    }

    /// A message was sent.
    pub async fn alert_message_sent(&self, id: &str, at: Timestamp) -> Result<(), Failure> {
        self.settle_message(id, Some(at), None, None).await
    }

    /// A message was tried in vain; it is tried again then, or given up without a moment.
    pub async fn alert_message_failed(
        &self,
        id: &str,
        at: Timestamp,
        failure: &Failure,
        next_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let ended = next_at.is_none().then_some(at);
        self.settle_message(id, ended, next_at, Some(failure)).await
    }

    async fn settle_message(
        &self,
        id: &str,
        ended_at: Option<Timestamp>,
        next_at: Option<Timestamp>,
        failure: Option<&Failure>,
    ) -> Result<(), Failure> {
        let (id, failure) = (id.to_owned(), failure.cloned());
        self.write(move |transaction, _| {
            let failure = failure.as_ref().map(serde_json::to_string).transpose()?;
            transaction.execute(
                "update alert_message set attempts = attempts + 1, ended_at = ?2, next_at = ?3, failure = ?4
                 where id = ?1",
                params![
                    id,
                    ended_at.map(Timestamp::as_microsecond),
                    next_at.map(Timestamp::as_microsecond),
                    failure,
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// The moment at which the next message is due.
    pub async fn next_alert_message(&self) -> Result<Option<Timestamp>, Failure> {
        self.read(|transaction| {
            let query = "select min(next_at) from alert_message where next_at is not null";
            let next: Option<i64> = transaction.query_row(query, params![], |row| row.get(0))?;
            next.map(moment).transpose()
        })
        .await
    }

    /// Where the latest message of each channel stands.
    pub async fn channel_states(&self) -> Result<Vec<ChannelState>, Failure> {
        self.read(|transaction| {
            transaction.query(
                "select channel, made_at, next_at, failure from alert_message
                 where id in (select max(id) from alert_message group by channel) order by channel",
                params![],
                |row| {
                    Ok(ChannelState {
                        channel: row.get(0)?,
                        made_at: moment(row.get(1)?)?,
                        next_at: row.get::<Option<i64>>(2)?.map(moment).transpose()?,
                        failure: read_failure(row.get(3)?)?,
                    })
                },
            )
        })
        .await
    }

    /// What became of the notices of these alerts.
    pub async fn alert_notices(&self, alerts: Vec<String>) -> Result<Vec<Told>, Failure> {
        self.read(move |transaction| {
            let query = "select alert_notice.event, alert_notice.channel, alert_notice.message is null,
                     alert_message.next_at is not null, alert_message.failure
                 from alert_notice left join alert_message on alert_message.id = alert_notice.message
                 where alert_notice.alert = ?1 order by alert_notice.event, alert_notice.channel";
            let mut told = Vec::new();
            for id in alerts {
                let read = |row: &Row<'_>| {
                    let (unmade, underway): (bool, bool) = (row.get(2)?, row.get(3)?);
                    Ok(Told {
                        alert: id.clone(),
                        event: NoticeEvent::read(row.get(0)?)?,
                        channel: row.get(1)?,
                        waits: unmade || underway,
                        failure: read_failure(row.get(4)?)?,
                    })
                };
                told.extend(transaction.query(query, params![id], read)?);
            }
            Ok(told)
        })
        .await
    }
}

fn read_failure(text: Option<String>) -> Result<Option<Failure>, Fault> {
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}
