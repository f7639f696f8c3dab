//! `ebb source`: kinds of sources, and what a source needs from people.

mod clean;
mod kinds;
mod setup;
mod tables;

use crate::{
    cli::Global,
    report::{Finish, Stop},
};

/// Kinds of sources, and what a source needs from its administrator
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Kinds(kinds::Arguments),
    Setup(setup::Arguments),
    Tables(tables::Arguments),
    Clean(clean::Arguments),
}

/// Runs the subcommand.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    match &arguments.command {
        Command::Kinds(arguments) => kinds::run(arguments, global),
        Command::Setup(arguments) => setup::run(arguments, global),
        Command::Tables(arguments) => tables::run(arguments, global).await,
        Command::Clean(arguments) => clean::run(arguments, global).await,
    }
}
