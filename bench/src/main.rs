//! Tools of the benchmarks: the receiver of a sync, the bare loop it is compared with, and the reading of a
//! warehouse alone.
//!
//! `bench/run.sh` drives them; `bench/README.md` says how to read what it prints.

mod extract;
mod receiver;
mod replay;

use std::io::Write as _;

use clap::{Parser, Subcommand};

/// Benchmark tools, each of which can also be run by hand.
#[derive(Debug, Parser)]
#[command(name = "ebb-bench")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen on loopback, parse and count what is posted
    Receiver(receiver::Options),
    /// Post recorded or generated bodies as fast as a bare loop can, and print the seconds it took
    Replay(replay::Options),
    /// Read the rows of a first sync out of a warehouse, and print the seconds it took
    Extract(extract::Options),
}

fn main() -> anyhow::Result<()> {
    let command = CommandLine::parse().command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    match command {
        Command::Receiver(options) => local.block_on(&runtime, receiver::serve(options)),
        Command::Replay(options) => print(&local.block_on(&runtime, replay::replay(options))?),
        Command::Extract(options) => {
            // as `ebb` itself runs: on all cores
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            print(&runtime.block_on(extract::extract(options))?)
        }
    }
}

fn print(report: &impl serde::Serialize) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(report)?)?;
    Ok(())
}
