//! The house's own checks, each a command: `cargo xtask check` runs them all.
//!
//! A check reads the tree and lists what breaks a rule; it changes nothing.

#![expect(clippy::print_stdout, reason = "the output of a command line program")]

mod deps;
mod errors;
mod files;
mod graph;
mod manifests;
mod report;
mod size;
mod toml_version;

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{graph::Graph, report::Report};

const USAGE: &str = "\
cargo xtask COMMAND

  check      everything below, after formatting and clippy; what follows is handed to clippy
  deps       the crates' dependencies point down only
  size       no source file is too long to be read whole
  manifests  every destination is complete and its files are TOML 1.0
  errors     every failure code has its help page, and every page its code";

fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let more: Vec<String> = arguments.collect();
    let graph = Graph::of_this_workspace()?;
    let root = graph.root.as_path();
    let passed = match command.as_str() {
        "check" => {
            let formatted = cargo(root, &["fmt", "--all", "--check"])?;
            let mut clippy = vec!["clippy", "--workspace", "--all-targets", "--locked"];
            clippy.extend(more.iter().map(String::as_str));
            clippy.extend(["--", "-D", "warnings"]);
            let linted = cargo(root, &clippy)?;
            let mut passed = formatted && linted;
            for report in all(&graph, root)? {
                passed &= show(&report);
            }
            passed
        }
        "deps" => show(&deps::check(&graph)),
        "size" => show(&size::check(root)?),
        "manifests" => show(&manifests::check(&root.join("destinations"))?),
        "errors" => show(&errors::check(&root.join("docs/errors"))?),
        _ => {
            println!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all(graph: &Graph, root: &Path) -> Result<[Report; 4]> {
    Ok([
        deps::check(graph),
        size::check(root)?,
        manifests::check(&root.join("destinations"))?,
        errors::check(&root.join("docs/errors"))?,
    ])
}

fn show(report: &Report) -> bool {
    println!("{report}");
    report.passed()
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<bool> {
    println!("cargo {}", arguments.join(" "));
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .status()
        .context("cannot start `cargo`")?;
    Ok(status.success())
}
