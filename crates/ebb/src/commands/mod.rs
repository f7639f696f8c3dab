//! One module for each command: its arguments, and `run`.

pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod schema;

use crate::{
    cli::{Cli, Command},
    report::{Finish, Stop},
};

/// Runs the command that was typed.
pub(crate) fn run(cli: &Cli) -> Result<Finish, Stop> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(arguments) => init::run(arguments, global),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Explain(arguments) => explain::run(arguments, global),
    }
}
