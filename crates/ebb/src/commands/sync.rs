//! `ebb sync`: delivers what changed.

use ebb_core::{
    Code, Failure,
    port::{Status, SyncRecord},
};
use ebb_engine::{Approval, Mappings, Plan, Watch, sends_again};
use ebb_workspace::Workspace;
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    terminal, view,
};

/// Deliver what changed since the last sync
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mappings, one after the other
    #[arg(required_unless_present = "all")]
    mappings: Vec<String>,
    /// All mappings that are switched on
    #[arg(long, conflicts_with = "mappings")]
    all: bool,
    /// Sync although a guard would hold it
    #[arg(long)]
    approve: bool,
    /// Take the checksums of today over without sending anything
    #[arg(long, conflicts_with = "approve")]
    rebase: bool,
    /// Send every record again, whether or not it changed; those that were sent before as updates
    #[arg(long, conflicts_with = "rebase")]
    backfill: bool,
    /// Send them again without asking
    #[arg(long, requires = "backfill")]
    yes: bool,
}

/// Syncs one mapping after the other; one that cannot run does not keep the others from running.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let mappings: Vec<String> = if arguments.all {
        let all = workspace.project.mappings.keys();
        all.filter(|name| workspace.enabled(name).is_ok()).cloned().collect()
    } else {
        for mapping in &arguments.mappings {
            workspace.enabled(mapping)?;
        }
        arguments.mappings.clone()
    };
    let (engine, store) = workspace.engine()?;
    engine.purge().await?;
    let approval = if arguments.approve { Approval::Approved } else { Approval::Guarded };
    let watch = Watch::default();
    let mut syncs = Vec::new();
    let mut stopped = Vec::new();
    for mapping in &mappings {
        let plan = workspace.plan(mapping)?;
        let ran = if arguments.rebase {
            engine.rebase(&workspace, plan).await.map(|(sync, records)| {
                if !global.json {
                    print_text(&format!("{records} checksums of `{mapping}` were taken over\n"));
                }
                vec![sync]
            })
        } else if arguments.backfill {
            let agreed = if arguments.yes { Ok(true) } else { agreed(&workspace, &plan).await };
            match agreed {
                Ok(true) => {
                    let run = Box::pin(engine.backfill(&workspace, plan, approval, &watch));
                    terminal::watched(run, mapping, &watch, global.json).await
                }
                Ok(false) => Ok(Vec::new()),
                Err(failure) => Err(failure),
            }
        } else {
            let run = Box::pin(engine.sync(&workspace, plan, approval, &watch));
            terminal::watched(run, mapping, &watch, global.json).await
        };
        match ran {
            Ok(ran) => {
                if !global.json {
                    print(&ran, &store, false).await?;
                }
                syncs.extend(ran);
            }
            Err(failure) => stopped.push(failure),
        }
        if watch.stop.is_cancelled() {
            break;
        }
    }
    if !stopped.is_empty() {
        if global.json && !syncs.is_empty() {
            print(&syncs, &store, true).await?;
        }
        return Err(Stop::from_failures(stopped));
    }
    if global.json {
        print(&syncs, &store, true).await?;
    }
    Ok(finish_of(&syncs))
}

/// Asks whether everything is to be sent again, with how much that is.
async fn agreed(workspace: &Workspace, plan: &Plan) -> Result<bool, Failure> {
    sends_again(&plan.mapping)?;
    let mapping = &plan.name;
    let tracked = workspace.warehouse(&plan.model.source)?.tracked(mapping).await?;
    let records = tracked.map_or(0, |tracked| tracked.records);
    let question = format!("Send {records} records of `{mapping}` again, and what is new?");
    terminal::agreed(&question, "Say `--yes` to send them without a question")
}

/// How a command ends that ran these syncs.
pub(crate) fn finish_of(syncs: &[SyncRecord]) -> Finish {
    let could_not = |sync: &SyncRecord| sync.status == Status::Failed && sync.diff.is_none();
    if syncs.last().is_some_and(could_not) {
        Finish::CouldNotRun
    } else if syncs.iter().all(|sync| sync.status == Status::Succeeded) {
        Finish::Done
    } else {
        Finish::DoneWithFailures
    }
}

/// Shows what became of syncs.
pub(crate) async fn print(
    syncs: &[SyncRecord],
    store: &ebb_store::Database,
    as_json: bool,
) -> Result<(), Failure> {
    let mut views = Vec::new();
    for sync in syncs {
        let groups = view::groups(sync, store).await?;
        if as_json {
            views.push(view::sync(sync, &groups));
        } else {
            print_text(&view::sync_text(sync, &groups));
            let held = sync.failure.as_ref().is_some_and(|failure| failure.code == Code::Held);
            if held {
                print_text(&format!(
                    "look at it with: ebb plan {}\n\
                     approve it with: the same command and --approve\n",
                    sync.mapping
                ));
            }
        }
    }
    if as_json {
        print_json(&json!({ "syncs": views }));
    }
    Ok(())
}
