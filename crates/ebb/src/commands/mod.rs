//! One module for each command: its arguments, and `run`.

pub(crate) mod cancel;
pub(crate) mod catalog;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod keys;
mod lines;
pub(crate) mod map;
pub(crate) mod plan;
pub(crate) mod preview;
pub(crate) mod record;
pub(crate) mod render;
pub(crate) mod replay;
pub(crate) mod reset;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod show;
pub(crate) mod source;
pub(crate) mod sync;
pub(crate) mod syncs;
pub(crate) mod test;
pub(crate) mod usage;

use std::future::Future;

use crate::{
    cli::{Cli, Command},
    report::{Finish, Stop},
};

/// Runs the command that was typed.
pub(crate) fn run(cli: &Cli) -> Result<Finish, Stop> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(arguments) => wait(demo::run(arguments, global)),
        Command::Init(arguments) => init::run(arguments, global),
        Command::Check(arguments) => wait(check::run(arguments, global)),
        Command::Preview(arguments) => wait(preview::run(arguments, global)),
        Command::Plan(arguments) => wait(plan::run(arguments, global)),
        Command::Sync(arguments) => wait(sync::run(arguments, global)),
        Command::Serve(arguments) => wait(serve::run(arguments, global)),
        Command::Apply(arguments) => wait(server::apply::run(arguments, global)),
        Command::Export(arguments) => wait(server::export::run(arguments, global)),
        Command::Keys(arguments) => wait(keys::run(arguments, global)),
        Command::Syncs(arguments) => wait(syncs::run(arguments, global)),
        Command::Usage(arguments) => wait(usage::run(arguments, global)),
        Command::Show(arguments) => wait(show::run(arguments, global)),
        Command::Record(arguments) => wait(record::run(arguments, global)),
        Command::Cancel(arguments) => wait(cancel::run(arguments, global)),
        Command::Replay(arguments) => wait(replay::run(arguments, global)),
        Command::Reset(arguments) => wait(reset::run(arguments, global)),
        Command::Test(arguments) => wait(test::run(arguments, global)),
        Command::Catalog(arguments) => catalog::run(arguments, global),
        Command::Map(arguments) => map::run(arguments),
        Command::Render(arguments) => render::run(arguments, global),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Source(arguments) => wait(source::run(arguments, global)),
        Command::Explain(arguments) => explain::run(arguments, global),
    }
}

/// Runs a command that waits for the world.
fn wait(command: impl Future<Output = Result<Finish, Stop>>) -> Result<Finish, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        ebb_core::Failure::new(ebb_core::Code::StateUnavailable, "no threads can be started")
            .caused_by(error)
    })?;
    runtime.block_on(command)
}
