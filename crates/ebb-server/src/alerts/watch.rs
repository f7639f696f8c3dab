//! Looks at mappings whenever a sync of them ends, and twice a minute at those that are late or whose
//! last day grows older. What is open is known in memory; the control database has it all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ebb_core::{
    Failure,
    config::{AlertRule, Trouble},
    port::{Clock, SyncRecord, Transport},
};
use ebb_destination::Network;
use ebb_store::{Alert, AlertFilter, AlertTurn, Database};
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    condition::{Watched, watched},
    judge::{Facts, is_late},
    turn::{Open, apply, key, turn, withdraw},
    volume,
};
use crate::app::{App, new_id};

/// What no sync tells of is looked at after this long.
const LOOK: Duration = Duration::from_secs(30);

/// What ends within so long is looked at together.
const TOGETHER: Duration = Duration::from_millis(200);

/// A sync is in the control database a little later than the moment at which it ended.
const OVERLAP: SignedDuration = SignedDuration::from_mins(1);

/// Open alerts about a day's records are looked at again after this long: the day moves on.
const MOVES_ON: SignedDuration = SignedDuration::from_mins(5);

/// Alerts that are over are kept this long.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What a server knows of alerts.
pub(crate) struct Alerts {
    open: Mutex<Open>,
    /// A sync ended, or the configuration is another.
    changed: Notify,
    /// There is something to send.
    pub(super) outbox: Notify,
    /// The way out for HTTP.
    pub(super) transport: Arc<dyn Transport>,
    /// When the server began: what was due before has had no chance to start.
    since: Timestamp,
}

/// What the watch remembers from one look to the next.
#[derive(Default)]
struct Memory {
    /// Syncs that ended before were looked at; `None` before the first look.
    seen: Option<Timestamp>,
    /// The syncs that ended lately and were looked at, by their mapping.
    looked_at: BTreeMap<String, String>,
    /// The rules at the last look: others say other things of the same syncs.
    rules: BTreeMap<String, AlertRule>,
    moved_on: Timestamp,
    forgot: Timestamp,
}

impl Alerts {
    /// Reads what is open.
    pub(crate) async fn load(store: &Database, network: &Network) -> Result<Self, Failure> {
        let filter = AlertFilter { open: Some(true), ..AlertFilter::default() };
        let open = store.alerts(filter, usize::MAX).await?;
        let open = open.into_iter().filter_map(|alert| Some((key(&alert)?, alert))).collect();
        Ok(Self {
            open: Mutex::new(open),
            changed: Notify::new(),
            outbox: Notify::new(),
            transport: ebb_destination::transport(network, Arc::new(SystemClock)),
            since: SystemClock.now(),
        })
    }

    /// How many alerts are open.
    pub(crate) fn count(&self) -> usize {
        self.known().len()
    }

    /// The open alerts of a mapping, the oldest first.
    pub(crate) fn of(&self, mapping: &str) -> Vec<Alert> {
        let known = self.known();
        let theirs = known.values().filter(|alert| alert.mapping == mapping);
        let mut alerts: Vec<_> = theirs.cloned().collect();
        alerts.sort_by(|one, other| one.id.cmp(&other.id));
        alerts
    }

    /// Has the watch look at once.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// Watches, and sends what is to be told, until `stop` says otherwise.
    pub(crate) async fn run(&self, app: &App, stop: &CancellationToken) {
        tokio::join!(Box::pin(self.watch(app, stop)), Box::pin(self.deliver(app, stop)));
    }

    async fn watch(&self, app: &App, stop: &CancellationToken) {
        let mut memory = Memory::default();
        while !stop.is_cancelled() {
            if let Err(failure) = self.look_at_all(app, &mut memory).await {
                tracing::error!(code = %failure.code, %failure, "alerts could not be looked at");
                memory.looked_at.clear();
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.changed.notified() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_at_all(&self, app: &App, memory: &mut Memory) -> Result<(), Failure> {
        let configuration = app.configuration();
        let project = &configuration.workspace.project;
        let rules = &project.alert_rules;
        let now = SystemClock.now();
        let watched_of = |mapping: &str| match configuration.workspace.enabled(mapping) {
            Ok(()) => watched(rules, mapping),
            // Nothing is expected of what is switched off or gone.
            Err(_) => Watched::new(),
        };
        let gone = {
            let known = self.known();
            withdraw(&known, now, |mapping, condition| watched_of(mapping).contains_key(&condition))
        };
        self.take(app, gone).await?;

        let mut wanted: BTreeSet<String> = match memory.seen {
            Some(seen) if memory.rules == *rules => {
                let since = seen.saturating_sub(OVERLAP).unwrap_or(seen);
                let ended = app.store.mappings_synced_since(since).await?;
                let before = std::mem::replace(&mut memory.looked_at, ended);
                let now = memory.looked_at.iter();
                let new = now.filter(|(mapping, sync)| before.get(*mapping) != Some(sync));
                new.map(|(mapping, _)| mapping.clone()).collect()
            }
            Some(_) | None => project.mappings.keys().cloned().collect(),
        };
        if now.duration_since(memory.moved_on) >= MOVES_ON {
            memory.moved_on = now;
            let known = self.known();
            let days = known.keys().filter(|(_, condition)| {
                matches!(condition.trouble, Trouble::DeliveryRate | Trouble::VolumeChange)
            });
            wanted.extend(days.map(|(mapping, _)| mapping.clone()));
        }
        let waiting = self.waiting(app);
        wanted.extend(self.turned_late(&waiting, now, &watched_of));
        for mapping in &wanted {
            let watched = watched_of(mapping);
            if watched.is_empty() {
                continue;
            }
            let due_since = waiting.get(mapping).copied();
            let facts = facts(&app.store, mapping, &watched, now, due_since).await?;
            let found = turn(&self.known(), mapping, &watched, &facts, &new_id);
            self.take(app, found).await?;
        }
        memory.seen = Some(now);
        memory.rules.clone_from(rules);
        if now.duration_since(memory.forgot) >= SignedDuration::from_hours(24) {
            memory.forgot = now;
            app.store.forget_alerts(now.saturating_sub(KEPT).unwrap_or(now)).await?;
        }
        Ok(())
    }

    /// Since when syncs are due that have not started. What was missed while no server ran counts from
    /// when one began.
    fn waiting(&self, app: &App) -> BTreeMap<String, Timestamp> {
        let waiting = app.scheduler.with(|table| table.waiting());
        waiting.into_iter().map(|(mapping, due)| (mapping, due.max(self.since))).collect()
    }

    /// Mappings that have become late, or are no longer.
    fn turned_late(
        &self,
        waiting: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        watched_of: &impl Fn(&str) -> Watched,
    ) -> BTreeSet<String> {
        let known = self.known();
        let new = waiting.iter().filter(|(mapping, due)| {
            let watched = watched_of(mapping);
            let late = watched.keys().filter(|condition| condition.trouble == Trouble::Late);
            let mut late = late.filter(|condition| is_late(**condition, **due, now));
            late.any(|condition| !known.contains_key(&((*mapping).clone(), *condition)))
        });
        let over = known.keys().filter(|(mapping, condition)| {
            condition.trouble == Trouble::Late
                && !waiting.get(mapping).is_some_and(|due| is_late(*condition, *due, now))
        });
        new.map(|(mapping, _)| mapping.clone())
            .chain(over.map(|(mapping, _)| mapping.clone()))
            .collect()
    }

    /// Writes what was found, and has it told.
    async fn take(&self, app: &App, turn: AlertTurn) -> Result<(), Failure> {
        if turn.opened.is_empty() && turn.closed.is_empty() {
            return Ok(());
        }
        for alert in &turn.opened {
            tracing::warn!(mapping = alert.mapping, trouble = alert.trouble, "an alert is open");
        }
        app.store.turn_alerts(turn.clone()).await?;
        apply(&mut self.known(), &turn);
        self.outbox.notify_one();
        Ok(())
    }
}

/// What is known of a mapping, as far as its conditions ask for it.
async fn facts(
    store: &Database,
    mapping: &str,
    watched: &Watched,
    now: Timestamp,
    due_since: Option<Timestamp>,
) -> Result<Facts, Failure> {
    let days = watched.keys().map(|condition| match condition.trouble {
        Trouble::Failed | Trouble::Partial | Trouble::Held | Trouble::Late => 0,
        // A sync that ended today may have begun yesterday.
        Trouble::DeliveryRate => 2,
        Trouble::VolumeChange => volume::DAYS,
    });
    let days = i64::try_from(days.max().unwrap_or_default()).unwrap_or_default();
    let (loads, older) = if days > 0 {
        let since = now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        store.loads(mapping, since).await?
    } else {
        (Vec::new(), false)
    };
    let latest: Option<SyncRecord> = store.latest_ended(mapping).await?;
    Ok(Facts { now, latest: latest.map(Into::into), loads, older, due_since })
}
