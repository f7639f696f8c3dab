//! Starts what a timetable says, and tells it what has ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ebb_core::{
    Code, Failure,
    port::{Status, SyncRecord},
    usage::Cycle,
};
use jiff::Timestamp;
use tokio::{
    sync::Notify,
    task::{Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{Start, Timetable, Work};
use crate::{Approval, Engine, Jobs, Plan, Progress, Watch};

/// The clock on the wall is looked at again after this long: it may be set, or have stood still.
const LOOK: Duration = Duration::from_secs(30);

/// The mappings that a scheduler runs.
pub trait Mappings: Jobs {
    /// What a sync of a mapping begins with; fails if it is no longer configured.
    fn plan(&self, mapping: &str) -> Result<Plan, Failure>;
}

/// Runs the syncs of a timetable.
pub struct Scheduler {
    engine: Arc<Engine>,
    mappings: Arc<dyn Mappings>,
    table: Mutex<Timetable>,
    changed: Notify,
    /// By mapping, while it runs.
    watches: Mutex<HashMap<String, Watch>>,
}

/// What a sync's task gives.
type Ran = Result<Vec<SyncRecord>, Failure>;

impl Scheduler {
    /// A scheduler; nothing starts before [`Scheduler::run`].
    pub fn new(engine: Arc<Engine>, mappings: Arc<dyn Mappings>, table: Timetable) -> Self {
        let (table, watches) = (Mutex::new(table), Mutex::default());
        Self { engine, mappings, table, changed: Notify::new(), watches }
    }

    /// How far a mapping's sync is; `None` if none runs here.
    pub fn progress(&self, mapping: &str) -> Option<Arc<Progress>> {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.get(mapping).map(|watch| Arc::clone(&watch.progress))
    }

    /// Reads or changes the timetable; what is due then starts at once.
    pub fn with<T>(&self, work: impl FnOnce(&mut Timetable) -> T) -> T {
        let done = work(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
        done
    }

    /// Starts what is due until `stop` says otherwise, and then waits until all has ended: batches in
    /// flight finish, and what was delivered is committed. `tell` hears of every sync.
    pub async fn run(&self, stop: &CancellationToken, tell: impl Fn(&SyncRecord) + Sync) {
        let (mut running, mut names) = (JoinSet::new(), HashMap::new());
        while !stop.is_cancelled() {
            let now = self.engine.now();
            let (starts, wakes_at) = {
                let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
                (table.starts(now), table.wakes_at())
            };
            for start in starts {
                names.insert(running.spawn(self.start(start.clone(), stop)).id(), start);
            }
            let until = wakes_at.and_then(|at| Duration::try_from(now.duration_until(at)).ok());
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.changed.notified() => {}
                () = tokio::time::sleep(until.unwrap_or(LOOK).min(LOOK)) => {}
                Some(ended) = running.join_next_with_id() => {
                    self.note(ended, &mut names, &tell);
                }
            }
        }
        while let Some(ended) = running.join_next_with_id().await {
            self.note(ended, &mut names, &tell);
        }
    }

    /// One piece of work, from its plan to its end.
    fn start(
        &self,
        start: Start,
        stop: &CancellationToken,
    ) -> impl Future<Output = Ran> + Send + use<> {
        let (engine, mappings) = (Arc::clone(&self.engine), Arc::clone(&self.mappings));
        let watch = Watch { stop: stop.child_token(), ..Watch::default() };
        self.watches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(start.mapping.clone(), watch.clone());
        async move {
            let Start { mapping, work, cause } = start;
            let plan = || Ok(Plan { cause, ..mappings.plan(&mapping)? });
            match work {
                Work::Sync => engine.sync(&*mappings, plan()?, Approval::Guarded, &watch).await,
                Work::ApprovedSync => {
                    engine.sync(&*mappings, plan()?, Approval::Approved, &watch).await
                }
                Work::Backfill => {
                    engine.backfill(&*mappings, plan()?, Approval::Guarded, &watch).await
                }
                Work::ApprovedBackfill => {
                    engine.backfill(&*mappings, plan()?, Approval::Approved, &watch).await
                }
                Work::Replay { of } => {
                    engine.replay(&*mappings, of, &watch).await.map(|sync| vec![sync])
                }
                Work::Rebase => {
                    engine.rebase(&*mappings, plan()?).await.map(|(sync, _)| vec![sync])
                }
            }
        }
    }

    fn note(
        &self,
        ended: Result<(Id, Ran), JoinError>,
        names: &mut HashMap<Id, Start>,
        tell: &impl Fn(&SyncRecord),
    ) {
        let (id, ran) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let message = "the sync ended in an unexpected way";
                (error.id(), Err(Failure::new(Code::Interrupted, message).caused_by(error)))
            }
        };
        let Some(Start { mapping, work, cause }) = names.remove(&id) else { return };
        let paused = paused(&ran, self.engine.now());
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).remove(&mapping);
        let well = match &ran {
            Ok(syncs) => {
                syncs.iter().for_each(tell);
                let last = syncs.last().map(|sync| sync.status);
                !matches!(work, Work::Replay { .. } | Work::Rebase)
                    && matches!(last, Some(Status::Succeeded | Status::Partial))
            }
            Err(failure) if paused.is_some() => {
                tracing::info!(mapping, code = %failure.code, %failure, "a sync waits");
                false
            }
            Err(failure) => {
                tracing::error!(mapping, code = %failure.code, %failure, "a sync could not run");
                false
            }
        };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = paused {
            table.pause(until);
            if let Some(left) = left(work, &ran) {
                table.again(&mapping, left, cause);
            }
        }
        table.ended(&mapping, well);
    }
}

/// What is left of work that met the limit of its month.
fn left(work: Work, ran: &Ran) -> Option<Work> {
    let Ok(syncs) = ran else { return Some(work) };
    match work {
        Work::Sync | Work::ApprovedSync | Work::Rebase => Some(work),
        // It would begin from its start.
        Work::Replay { .. } => None,
        Work::Backfill | Work::ApprovedBackfill => {
            let begins_anew = |sync: &SyncRecord| Work::rest_of(sync) == Work::Backfill;
            Some(if syncs.last().is_some_and(begins_anew) { work } else { Work::Sync })
        }
    }
}

/// Until when a sync must wait that met the limit of its month.
fn paused(ran: &Ran, now: Timestamp) -> Option<Timestamp> {
    let at_limit = |failure: &&Failure| failure.code == Code::UsageLimit;
    match ran {
        Err(failure) => {
            let left = Some(failure).filter(at_limit)?.retry_after()?;
            now.checked_add(left).ok()
        }
        Ok(syncs) => {
            let last = syncs.last()?;
            last.failure.as_ref().filter(at_limit)?;
            Some(Cycle::of(last.started_at).ends())
        }
    }
}
