//! `ebb map`: the mapping language on its own.

use crate::report::{Finish, Stop};

/// Map JSON lines `{mapping, payload}` from standard input
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// Answers each line.
pub(crate) fn run(_: &Arguments) -> Result<Finish, Stop> {
    super::lines::each(ebb_mapping::map_line)
}
