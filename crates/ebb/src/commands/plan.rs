//! `ebb plan`: what a sync would do.

use std::fmt::Write;

use ebb_core::Failure;
use ebb_engine::{DryRun, Effect, Plan, Work};
use ebb_store::Database;
use indicatif::HumanBytes;
use serde::Serialize;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Show what a sync would do: counts and the exact requests; sends and commits nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mapping
    mapping: String,
    /// The requests of the first so many records
    #[arg(long, value_name = "N", default_value_t = 3)]
    show: usize,
}

/// Diffs, shows, and forgets the diff.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let job = workspace.job_of(&arguments.mapping)?;
    let records = job.plan.mapping.records;
    let (engine, store) = workspace.engine()?;
    let edited = edited(&store, &job.plan).await?;
    let plan = engine.dry_run(job, arguments.show).await?;
    if global.json {
        print_json(&Planned { plan: &plan, edited });
    } else {
        print_text(&text(&plan, records));
        if edited && plan.diff.tracked > 0 {
            print_text(&stale(&arguments.mapping, plan.diff.tracked));
        }
    }
    Ok(Finish::Done)
}

/// A plan for machines.
#[derive(Serialize)]
struct Planned<'p> {
    #[serde(flatten)]
    plan: &'p DryRun,
    /// Whether tracked records stay in another form than the mapping sends now.
    edited: bool,
}

/// Whether the mapping sends otherwise now than by its latest sync.
async fn edited(store: &Database, now: &Plan) -> Result<bool, Failure> {
    let Some(latest) = store.latest_sync(&now.name).await? else { return Ok(false) };
    // The plan of a sync that an older version kept may not be readable.
    let Ok(then) = Plan::of(&latest) else { return Ok(false) };
    let effect = Effect::of((&then.mapping, &then.model), (&now.mapping, &now.model));
    Ok(effect.offers() == Some(Work::Backfill))
}

fn stale(mapping: &str, tracked: u64) -> String {
    format!(
        "\nthe mapping was changed since its latest sync: the {tracked} tracked records stay as they \
         were sent until they change\n help: `ebb sync {mapping} --backfill` sends all of them again\n"
    )
}

fn text(plan: &DryRun, records: ebb_core::Subscription) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes all text");
    for operation in ebb_core::Operation::ALL {
        let note = if records.takes(operation) { "" } else { "  (tracked, not sent)" };
        line(format!("{:>12} {operation}{note}", plan.diff.changes.get(operation)));
    }
    let discarded = &plan.diff.discarded;
    line(format!("{:>12} discarded", discarded.null + discarded.duplicates.total()));
    if plan.diff.withheld > 0 {
        let withheld = plan.diff.withheld;
        line(format!("{withheld:>12} gone while more rows have no identifier: they stay tracked"));
    }
    line(format!("{:>12} tracked before", plan.diff.tracked));
    if let Some(bytes) = plan.diff.scanned {
        line(format!("{:>12} read in the warehouse", HumanBytes(bytes).to_string()));
    }
    if let Some(changed) = &plan.recipe_changed {
        line(format!(
            "\nthe checksums cannot be compared with the tracked ones ({changed}): {} records would \
             be sent again\n help: `ebb sync --rebase` takes the new checksums over without sending, \
             `ebb sync --backfill` sends every record again",
            plan.diff.changes.updated,
        ));
    }
    for group in plan.diff.failure_groups() {
        line(format!("\n{}", view::group(&group)));
    }
    for (record_id, failure) in &plan.rejected {
        line(format!("\nrecord `{record_id}` would be discarded: {failure}"));
        line(format!(" help: {}", failure.advice()));
    }
    for batch in &plan.batches {
        for request in &batch.requests {
            line(format!("\n{}", view::request(request)));
        }
    }
    if let Some(held) = &plan.held {
        line(format!("\nthe sync would be held: {held}\n help: {}", held.advice()));
    }
    text
}

#[cfg(test)]
mod tests {
    use ebb_core::{Subscription, Tally, port::Diff};
    use ebb_engine::DryRun;

    use super::text;

    fn plan(scanned: Option<u64>) -> DryRun {
        let changes = Tally { added: 1, updated: 2, deleted: 3 };
        let diff = Diff { changes, tracked: 4, scanned, ..Diff::default() };
        let (batches, rejected) = (Vec::new(), Vec::new());
        DryRun { diff, recipe_changed: None, held: None, batches, rejected }
    }

    #[test]
    fn what_the_diff_read_is_told_where_the_warehouse_counts_it() {
        let all = Subscription::default();
        let told = text(&plan(Some(1_600_000_000)), all);
        assert!(told.contains("\n    1.49 GiB read in the warehouse\n"), "{told}");
        assert!(!text(&plan(None), all).contains("read in the warehouse"));
        let json = serde_json::to_value(plan(Some(7))).unwrap();
        assert_eq!(json["diff"]["scanned"], 7);
        let json = serde_json::to_value(plan(None)).unwrap();
        assert_eq!(json["diff"].get("scanned"), None);
    }
}
