//! Ebb's command line.

mod cli;
mod commands;
#[cfg_attr(not(test), expect(dead_code, reason = "the commands that read a project use it"))]
mod project;
mod report;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(&cli) {
        Ok(finish) => finish.into(),
        Err(stop) => {
            stop.print(cli.global.json);
            report::COULD_NOT_RUN.into()
        }
    }
}
