//! `ebb source clean`: drops what nobody needs any more.

use std::time::Duration;

use ebb_core::{Code, Failure};
use ebb_engine::{Leftover, Need};
use serde_json::{Value, json};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

const DAY: Duration = Duration::from_hours(24);

/// Drop the tables that killed syncs left in a source's managed schema
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The source
    source: String,
    /// Only list what would be dropped
    #[arg(long)]
    dry_run: bool,
    /// After how many days a sync that this project does not know counts as over; until then it may be
    /// another Ebb's
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    older_than: u32,
    /// Also forget the tracked state of a mapping that the project no longer has; may be given several
    /// times
    #[arg(long, value_name = "MAPPING", conflicts_with = "dry_run")]
    forget: Vec<String>,
}

/// Drops them and says which.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let workspace = global.workspace()?;
    let warehouse = workspace.warehouse(&arguments.source)?;
    if let Some(mapping) =
        arguments.forget.iter().find(|name| workspace.project.mappings.contains_key(*name))
    {
        let message = format!("the project has a mapping `{mapping}`");
        let failure = Failure::new(Code::ConfigName, message)
            .help(format!("Run `ebb reset {mapping}` to forget what is tracked of it"));
        return Err(failure.into());
    }
    let (engine, _) = workspace.engine()?;
    for mapping in &arguments.forget {
        engine.reset(mapping, &*warehouse).await?;
    }
    let leftovers = engine.leftovers(&*warehouse, DAY * arguments.older_than).await?;
    if !arguments.dry_run {
        engine.clean(&*warehouse, &leftovers).await?;
    }
    if global.json {
        print_json(&json!({
            "dropped": !arguments.dry_run,
            "forgotten": arguments.forget,
            "leftovers": leftovers.iter().map(as_json).collect::<Vec<_>>(),
        }));
    } else {
        print_text(&text(arguments, &leftovers));
    }
    Ok(Finish::Done)
}

fn text(arguments: &Arguments, leftovers: &[Leftover]) -> String {
    let forgotten = arguments.forget.iter().map(|mapping| format!("`{mapping}` is forgotten\n"));
    let forgotten: String = forgotten.collect();
    if leftovers.is_empty() {
        return format!("{forgotten}no sync has left anything in `{}`\n", arguments.source);
    }
    let mut table = Table::new(["table", "what became of it"]);
    for leftover in leftovers {
        let fate = match &leftover.need {
            Need::Over if arguments.dry_run => "would be dropped".to_owned(),
            Need::Over => "dropped".to_owned(),
            Need::Open { mapping } => format!("kept: `ebb sync {mapping}` goes on with it"),
            Need::Unknown => "kept: not of this project, see --older-than".to_owned(),
        };
        for name in &leftover.tables {
            table.row([name, &fate]);
        }
    }
    format!("{forgotten}{table}")
}

fn as_json(leftover: &Leftover) -> Value {
    let (need, mapping) = match &leftover.need {
        Need::Over => ("over", None),
        Need::Open { mapping } => ("open", Some(mapping)),
        Need::Unknown => ("unknown", None),
    };
    json!({ "sync": leftover.sync, "tables": leftover.tables, "need": need, "mapping": mapping })
}
