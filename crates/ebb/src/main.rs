//! Ebb's command line.

mod cli;
mod commands;
mod report;
mod table;
mod telemetry;
mod terminal;
mod view;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let traces = telemetry::begin();
    let code = match commands::run(&cli) {
        Ok(finish) => finish.into(),
        Err(stop) => {
            stop.print(cli.global.json);
            report::COULD_NOT_RUN.into()
        }
    };
    traces.end();
    code
}
