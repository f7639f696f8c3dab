//! `ebb serve`: syncs by schedule, until it is told to stop.

use std::{sync::Arc, time::Duration};

use ebb_core::{
    Failure, Schedule,
    port::{Clock, Store, SyncRecord},
};
use ebb_engine::{Entry, Outlook, Scheduler, Timetable, WhyNot};
use ebb_store::Database;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use ebb_workspace::{SystemClock, Workspace};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Sync by schedule until it is told to stop (SIGTERM, Ctrl-C)
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// So long may syncs take to end once Ebb is told to stop. What does not make it is finished by the
/// next start.
const GRACE: Duration = Duration::from_secs(25);

/// Finishes what was interrupted, then starts every mapping's syncs when they are due.
pub(crate) async fn run(_: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let stop = CancellationToken::new();
    let signals = signals()?;
    let workspace = Arc::new(Workspace::open(&global.project)?);
    let (engine, store) = workspace.engine()?;
    engine.purge().await?;
    let table = timetable(&workspace, &store).await?;
    let scheduler = Scheduler::new(Arc::new(engine), Arc::<Workspace>::clone(&workspace), table);
    tell_outlooks(&workspace, &scheduler, global);
    let tell = |sync: &SyncRecord| {
        if global.json {
            print_json(&view::sync(sync, &[]));
        } else {
            print_text(&view::sync_text(sync, &[]));
        }
    };
    let run = scheduler.run(&stop, tell);
    tokio::pin!(run);
    tokio::select! {
        () = &mut run => {}
        () = signals => {
            stop.cancel();
            if tokio::time::timeout(GRACE, run).await.is_err() {
                tracing::warn!("some syncs did not end in time; the next start finishes them");
                return Ok(Finish::DoneWithFailures);
            }
        }
    }
    Ok(Finish::Done)
}

/// Waits for somebody who wants Ebb to stop.
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| {
        let message = "the system does not tell when to stop";
        Failure::new(ebb_core::Code::StateUnavailable, message).caused_by(error)
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// All mappings of a project. A schedule counts from the mapping's latest sync: what was missed since is
/// made up for once. One that never synced begins at once, if its schedule is an interval.
async fn timetable(workspace: &Workspace, store: &Database) -> Result<Timetable, Failure> {
    let now = SystemClock.now();
    let project = &workspace.project;
    let mut table = Timetable::default();
    for (name, source) in &project.sources {
        table.set_places(name, source.max_concurrent_syncs);
    }
    for (name, mapping) in &project.mappings {
        let latest = store.syncs(Some(name), 1).await?.pop();
        let entry = Entry {
            schedule: mapping.schedule.clone(),
            source: workspace.model(&mapping.model)?.source.clone(),
            since: latest.as_ref().map_or(now, |sync| sync.started_at),
            at_once: latest.is_none() && matches!(mapping.schedule, Schedule::Every { .. }),
            off: off(workspace, name),
        };
        let interrupted = entry.off.is_none() && store.unfinished(name).await?.is_some();
        table.set(name, entry);
        if interrupted {
            table.request(name);
        }
    }
    Ok(table)
}

fn off(workspace: &Workspace, mapping: &str) -> Option<WhyNot> {
    let failure = workspace.enabled(mapping).err()?;
    let destination = failure.code == ebb_core::Code::DestinationDisabled;
    Some(if destination { WhyNot::DestinationOff } else { WhyNot::SwitchedOff })
}

/// Says when each mapping runs next, and if it will not, why not.
fn tell_outlooks(workspace: &Workspace, scheduler: &Scheduler, global: &Global) {
    for mapping in workspace.project.mappings.keys() {
        let Some(outlook) = scheduler.with(|table| table.outlook(mapping)) else { continue };
        if global.json {
            print_json(&json!({ "mapping": mapping, "next": outlook }));
        } else {
            print_text(&format!("{mapping}: {}\n", words(&outlook, SystemClock.now())));
        }
    }
}

fn words(outlook: &Outlook, now: Timestamp) -> String {
    match outlook {
        Outlook::Running => "syncs now".to_owned(),
        Outlook::Queued { .. } => "waits for its turn".to_owned(),
        Outlook::Due { at } if *at <= now => "starts at once".to_owned(),
        Outlook::Due { at } => {
            let minutes = now.duration_until(*at).as_secs() / 60;
            format!("next sync at {at:.0}, in {} h {} min", minutes / 60, minutes % 60)
        }
        Outlook::After { mapping } => format!("follows `{mapping}`"),
        Outlook::Idle { why } => match why {
            WhyNot::Manual => "only when somebody asks: its schedule is `manual`".to_owned(),
            WhyNot::SwitchedOff => "does not sync: it is switched off".to_owned(),
            WhyNot::DestinationOff => "does not sync: its destination is switched off".to_owned(),
            WhyNot::NeverDue => "does not sync: its schedule names no moment".to_owned(),
        },
    }
}
