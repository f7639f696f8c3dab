//! What went wrong and was told: alerts that are open, those that are over, and what they are judged by.

use std::{collections::BTreeMap, fmt};

use ebb_core::{
    Counts, Failure, SyncId,
    port::{SyncKind, SyncRecord},
};
use jiff::Timestamp;

use super::{
    Database, Fault,
    people::moment,
    rows,
    sql::{AsValue, Row, params},
};

/// Something that went wrong with a mapping, from when it was seen until it was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Sorts by time.
    pub id: String,
    /// The mapping.
    pub mapping: String,
    /// What is wrong, as `alert_rules` write it.
    pub trouble: String,
    /// What it is measured by: seconds, or millionths; 0 where the trouble has no measure.
    pub threshold: i64,
    /// The sync that showed it.
    pub sync: Option<String>,
    /// When it was seen.
    pub opened_at: Timestamp,
    /// The code of the failure, where there is one.
    pub code: Option<String>,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// How it ended; `None` while it lasts.
    pub end: Option<AlertEnd>,
}

/// How an alert ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub ending: Ending,
    /// The sync that showed it.
    pub sync: Option<String>,
}

/// Why an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All is well again.
    Recovered,
    /// Nobody watches this any more: the mapping or the rule is gone, or switched off.
    Withdrawn,
}

impl Ending {
    /// The ending as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What a channel is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeEvent {
    /// That it was opened.
    Opened,
    /// That it is over.
    Recovered,
}

impl NoticeEvent {
    /// The event as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Recovered => "recovered",
        }
    }

    /// The event of this name.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        [Self::Opened, Self::Recovered]
            .into_iter()
            .find(|event| event.as_str() == text)
            .ok_or_else(|| Fault::Content(format!("`{text}` is no event of an alert").into()))
    }
}

impl fmt::Display for NoticeEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A channel that is to be told of a new alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The alert.
    pub alert: String,
    /// The channel's name.
    pub channel: String,
}

/// What one look at the mappings found, written as a whole.
#[derive(Debug, Clone, Default)]
pub struct AlertTurn {
    /// Alerts that are new.
    pub opened: Vec<Alert>,
    /// Alerts that are over, by their identities.
    pub closed: Vec<(String, AlertEnd)>,
    /// Who is to be told of what is new. Who was told that is told of a recovery as well.
    pub notices: Vec<Notice>,
}

/// Which alerts are listed; what is not said filters nothing.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Those of this mapping.
    pub mapping: Option<String>,
    /// Those that are open, or those that are over.
    pub open: Option<bool>,
    /// Those before this one.
    pub before: Option<String>,
}

/// What a sync moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// When it ended.
    pub finished_at: Timestamp,
    /// What became of its changes.
    pub counts: Counts,
}

const ALERT: &str = "select id, mapping, trouble, threshold, sync, opened_at, code, message, help, closed_at, \
                     ending, closing_sync from alert";

/// Whether a sync says how its mapping is: a replay says nothing of it.
fn tells(sync: &SyncRecord) -> bool {
    match sync.kind {
        SyncKind::Sync | SyncKind::Backfill | SyncKind::Rebase => true,
        SyncKind::Replay { .. } => false,
    }
}

impl Database {
    /// Alerts, the newest first.
    pub async fn alerts(&self, filter: AlertFilter, limit: usize) -> Result<Vec<Alert>, Failure> {
        self.read(move |transaction| {
            let AlertFilter { mapping, open, before } = filter;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut conditions = vec!["true".to_owned()];
            let mut values = Vec::new();
            for (condition, value) in [("mapping =", &mapping), ("id <", &before)] {
                if let Some(value) = value {
                    values.push(value.as_value());
                    conditions.push(format!("{condition} ?{}", values.len()));
                }
            }
            conditions.extend(
                open.map(|open| if open { "closed_at is null" } else { "closed_at is not null" })
                    .map(str::to_owned),
            );
            values.push(limit.as_value());
            let (conditions, last) = (conditions.join(" and "), values.len());
            let query = format!("{ALERT} where {conditions} order by id desc limit ?{last}");
            transaction.query(&query, &values, alert)
        })
        .await
    }

    /// The alert of this identity, if there is one.
    pub async fn alert(&self, id: &str) -> Result<Option<Alert>, Failure> {
        let id = id.to_owned();
        self.read(move |transaction| {
            transaction.query_optional(&format!("{ALERT} where id = ?1"), params![id], alert)
        })
        .await
    }

    /// Writes what a look at the mappings found: all of it or nothing. An alert that is open already is
    /// not opened again, and nobody is told of it.
    pub async fn turn_alerts(&self, turn: AlertTurn) -> Result<(), Failure> {
        self.write(move |transaction, _| {
            for alert in &turn.opened {
                transaction.execute(
                    "insert into alert (id, mapping, trouble, threshold, sync, opened_at, code, message, help)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) on conflict do nothing",
                    params![
                        alert.id,
                        alert.mapping,
                        alert.trouble,
                        alert.threshold,
                        alert.sync,
                        alert.opened_at.as_microsecond(),
                        alert.code,
                        alert.message,
                        alert.help,
                    ],
                )?;
            }
            for (id, AlertEnd { at, ending, sync }) in &turn.closed {
                transaction.execute(
                    "update alert set closed_at = ?2, ending = ?3, closing_sync = ?4
                     where id = ?1 and closed_at is null",
                    params![id, at.as_microsecond(), ending.as_str(), sync],
                )?;
                if *ending == Ending::Recovered {
                    transaction.execute(
                        "insert into alert_notice (alert, event, channel)
                         select alert, 'recovered', channel from alert_notice
                         where alert = ?1 and event = 'opened' on conflict do nothing",
                        params![id],
                    )?;
                }
            }
            for Notice { alert, channel } in &turn.notices {
                transaction.execute(
                    "insert into alert_notice (alert, event, channel)
                     select id, 'opened', ?2 from alert where id = ?1 on conflict do nothing",
                    params![alert, channel],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// The mappings of which a sync has ended since a moment, each with the newest of these syncs.
    pub async fn mappings_synced_since(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let syncs = self.read(move |transaction| {
            // Grouped by the database, SQLite would go through all syncs in the order of mappings.
            let query = "select mapping, id from sync where finished_at >= ?1 order by finished_at";
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            transaction.query(query, params![since.as_microsecond()], read)
        });
        Ok(syncs.await?.into_iter().collect())
    }

    /// The newest sync of a mapping that has ended and says how the mapping is.
    pub async fn latest_ended(&self, mapping: &str) -> Result<Option<SyncRecord>, Failure> {
        /// More replays than this in a row hide what was before them.
        const LOOK: i64 = 8;
        let mapping = mapping.to_owned();
        self.read(move |transaction| {
            let rest = "where sync.mapping = ?1 and sync.ended = 1 order by sync.id desc limit ?2";
            Ok(rows::syncs(transaction, rest, params![mapping, LOOK])?.into_iter().find(tells))
        })
        .await
    }

    /// What the syncs of a mapping moved since a moment, replays left out; and whether the mapping synced
    /// before it, too.
    pub async fn loads(
        &self,
        mapping: &str,
        since: Timestamp,
    ) -> Result<(Vec<Load>, bool), Failure> {
        let mapping = mapping.to_owned();
        self.read(move |transaction| {
            // Identities begin with their moment, so that those before are not looked at.
            let milliseconds = u64::try_from(since.as_millisecond()).unwrap_or_default();
            let first = SyncId::from_parts(milliseconds, 0).to_string();
            let rest =
                "where sync.mapping = ?1 and sync.id >= ?2 and sync.ended = 1 order by sync.id";
            let syncs = rows::syncs(transaction, rest, params![mapping, first])?;
            let moved = syncs.into_iter().filter(|sync| sync.kind == SyncKind::Sync);
            let load = |sync: SyncRecord| {
                sync.finished_at.map(|finished_at| Load { finished_at, counts: sync.counts })
            };
            let loads = moved.filter_map(load).collect();
            let older = "select 1 from sync where mapping = ?1 and id < ?2 limit 1";
            let older = transaction.query_optional(older, params![mapping, first], |_| Ok(()))?;
            Ok((loads, older.is_some()))
        })
        .await
    }

    /// Forgets alerts that were over before a moment, with what was told of them.
    pub async fn forget_alerts(&self, before: Timestamp) -> Result<(), Failure> {
        self.write(move |transaction, _| {
            transaction.execute(
                "delete from alert where closed_at < ?1",
                params![before.as_microsecond()],
            )?;
            transaction.execute(
                "delete from alert_message where ended_at < ?1
                 and not exists (select 1 from alert_notice where alert_notice.message = alert_message.id)",
                params![before.as_microsecond()],
            )?;
            Ok(())
        })
        .await
    }
}

/// Reads the columns of [`ALERT`].
pub(super) fn alert(row: &Row<'_>) -> Result<Alert, Fault> {
    let ending: Option<String> = row.get(10)?;
    let end = match row.get::<Option<i64>>(9)? {
        None => None,
        Some(at) => Some(AlertEnd {
            at: moment(at)?,
            ending: match ending.as_deref() {
                Some("withdrawn") => Ending::Withdrawn,
                Some(_) | None => Ending::Recovered,
            },
            sync: row.get(11)?,
        }),
    };
    Ok(Alert {
        id: row.get(0)?,
        mapping: row.get(1)?,
        trouble: row.get(2)?,
        threshold: row.get(3)?,
        sync: row.get(4)?,
        opened_at: moment(row.get(5)?)?,
        code: row.get(6)?,
        message: row.get(7)?,
        help: row.get(8)?,
        end,
    })
}
