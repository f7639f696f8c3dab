//! What can be typed: commands, arguments, options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    cancel, catalog, check, demo, explain, init, keys, map, plan, preview, record, render, replay,
    reset, schema, serve,
    server::{apply, export},
    show, source, sync, syncs, test, usage,
};

/// Sends what changed in a warehouse to the tools that need it.
#[derive(Debug, Parser)]
#[command(
    name = "ebb",
    version,
    after_help = "Exit codes: 0 done, 1 done with failures, 2 could not run"
)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The project folder
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// Answer in JSON, for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Arguments),
    Init(init::Arguments),
    Check(check::Arguments),
    Preview(preview::Arguments),
    Plan(plan::Arguments),
    Sync(sync::Arguments),
    Serve(serve::Arguments),
    Apply(apply::Arguments),
    Export(export::Arguments),
    Keys(keys::Arguments),
    Syncs(syncs::Arguments),
    Usage(usage::Arguments),
    Show(show::Arguments),
    Record(record::Arguments),
    Cancel(cancel::Arguments),
    Replay(replay::Arguments),
    Reset(reset::Arguments),
    Test(test::Arguments),
    Catalog(catalog::Arguments),
    Map(map::Arguments),
    Render(render::Arguments),
    Schema(schema::Arguments),
    Source(source::Arguments),
    Explain(explain::Arguments),
}
