//! What can be typed: commands, arguments, options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{explain, init, schema};

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
    Init(init::Arguments),
    Schema(schema::Arguments),
    Explain(explain::Arguments),
}
