//! `ebb render`: the requests that a destination would make.

use ebb_destination::{Catalog, render_line};

use crate::{
    cli::Global,
    report::{Finish, Stop},
};

/// Show the requests for JSON lines `{destination, action, settings, mapping, payloads, …}` from
/// standard input, sending nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// Answers each line. The project's own destinations are known too, if there is a project.
pub(crate) fn run(_: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let catalog = Catalog::load(&global.project.join("destinations"))?;
    super::lines::each(|line| render_line(line, &catalog))
}
