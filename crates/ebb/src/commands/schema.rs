//! `ebb schema`: what an editor needs to complete and check project files.

use crate::report::{Finish, Stop, print_json};

/// Print the JSON Schema of project files, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// Prints the JSON Schema.
#[expect(clippy::unnecessary_wraps, reason = "every command has this form")]
pub(crate) fn run(_: &Arguments) -> Result<Finish, Stop> {
    print_json(&serde_json::json!(true));
    Ok(Finish::Done)
}
