//! Ebb's command line.

mod cli;
mod commands;
mod report;
mod table;
mod terminal;
mod view;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    log();
    match commands::run(&cli) {
        Ok(finish) => finish.into(),
        Err(stop) => {
            stop.print(cli.global.json);
            report::COULD_NOT_RUN.into()
        }
    }
}

/// Log lines go to standard error; `EBB_LOG` says which, such as `info` or `ebb_engine=debug`, and
/// `EBB_LOG_FORMAT=json` writes each as a JSON object.
fn log() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into());
    let filter = filter.with_env_var("EBB_LOG").from_env_lossy();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    #[expect(clippy::disallowed_methods, reason = "it counts before any project is read")]
    let format = std::env::var("EBB_LOG_FORMAT");
    if format.is_ok_and(|format| format == "json") {
        lines.json().flatten_event(true).init();
    } else {
        lines.init();
    }
}
