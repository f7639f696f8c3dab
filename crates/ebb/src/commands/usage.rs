//! `ebb usage`: how many records destinations got.

use ebb_core::{
    port::{Clock, Store},
    usage::Report,
};
use ebb_workspace::{SystemClock, Workspace};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// Show how many records destinations got in this month and the twelve before it, and the limit
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// Shows the usage.
pub(crate) async fn run(_: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = Workspace::open(&global.project)?;
    let (_, store) = workspace.engine()?;
    let now = SystemClock.now();
    let report = Report::new(&store.used(Report::since(now)).await?, workspace.project.usage, now);
    if global.json {
        print_json(&report);
    } else {
        print_text(&text(&report));
    }
    Ok(Finish::Done)
}

fn text(report: &Report) -> String {
    let Report { month, ends_at, plan, limit, records, months, .. } = report;
    let mut text = match limit {
        None => format!("{month}: {records} records, no limit\n"),
        Some(limit) => {
            let next = if records >= limit { "; syncs are paused until then" } else { "" };
            format!(
                "{month}: {records} of {limit} records (plan {plan}), until {ends_at:.0}{next}\n"
            )
        }
    };
    let mut table = Table::new(["month", "destination", "records"]);
    for month in months {
        for share in &month.destinations {
            let month = month.month.to_string();
            table.row([month, share.destination.clone(), share.records.to_string()]);
        }
    }
    if months.iter().any(|month| !month.destinations.is_empty()) {
        text.push_str(&table.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use ebb_core::usage::{NamedPlan, Report, UsagePlan, Used};

    use super::text;

    #[test]
    fn this_month_stands_beside_its_limit_and_the_others_below() {
        let used = |destination: &str, month: &str, records| Used {
            destination: destination.to_owned(),
            cycle: month.parse().unwrap(),
            records,
        };
        let now = "2026-11-21T23:00:00Z".parse().unwrap();
        let rows =
            [used("crm", "2026-10", 7), used("crm", "2026-11", 20), used("ads", "2026-11", 30)];
        let told = |plan| text(&Report::new(&rows, plan, now));
        insta::assert_snapshot!(told(UsagePlan::Named(NamedPlan::Free)), @r"
        2026-11: 50 of 500000 records (plan free), until 2026-12-01T00:00:00Z
        month    destination  records
        2026-11  ads          30
        2026-11  crm          20
        2026-10  crm          7
        ");
        assert!(told(UsagePlan::default()).starts_with("2026-11: 50 records, no limit\n"));
        let reached = told(UsagePlan::Records { records: 50 });
        assert!(reached.contains("syncs are paused until then"), "{reached}");
        let nothing = text(&Report::new(&[], UsagePlan::default(), now));
        assert_eq!(nothing, "2026-11: 0 records, no limit\n");
    }
}
