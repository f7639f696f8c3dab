//! What can be typed: commands, arguments, options.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
};

use clap::{Args, Parser, Subcommand};
use ebb_core::{Code, Secret, config::Problem};
use ebb_workspace::Workspace;

use crate::{
    commands::{
        cancel, catalog, check, demo, explain, init, keys, map, plan, preview, record, render,
        replay, reset, schema, serve,
        server::{apply, export},
        show, source, sync, syncs, test, usage,
    },
    report::Stop,
};

/// Sends what changed in a warehouse to the tools that need it.
#[derive(Debug, Parser)]
#[command(
    name = "ebb",
    version,
    after_help = "Exit codes: 0 done, 1 done with failures, 2 could not run"
)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The project folder, if none is named.
const HERE: &str = ".";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The project folder
    #[arg(long, global = true, value_name = "DIR", default_value = HERE)]
    pub(crate) project: PathBuf,
    /// Answer in JSON, for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Keep history, journal and people on a PostgreSQL server instead of a file, such as
    /// `postgres://user:password@host/database`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "EBB_DATABASE_URL",
        hide_env_values = true,
        value_parser = secret
    )]
    pub(crate) database_url: Option<Secret>,
}

/// Never fails, so that no message shows it.
#[expect(clippy::unnecessary_wraps, reason = "what reads an argument may fail")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

impl Global {
    /// The project, with its control database where it is to be. Connects nothing yet.
    pub(crate) fn workspace(&self) -> Result<Workspace, Stop> {
        self.with_database(Workspace::open(&self.project)?)
    }

    /// What a server serves: the project, or no files at all where none are named and the current folder has
    /// none.
    pub(crate) fn served(&self) -> Result<Workspace, Stop> {
        let nothing = |problems: &[Problem]| {
            problems.iter().any(|problem| problem.failure.code == Code::ProjectMissing)
        };
        match Workspace::open(&self.project) {
            Err(problems) if self.project == Path::new(HERE) && nothing(&problems) => {
                self.with_database(Workspace::without_files(&self.project)?)
            }
            opened => self.with_database(opened?),
        }
    }

    /// A project with its control database where it is to be.
    pub(crate) fn with_database(&self, workspace: Workspace) -> Result<Workspace, Stop> {
        // An empty variable is none.
        let url = self.database_url.as_ref().map(Secret::expose).filter(|url| !url.is_empty());
        let url = url.map(str::parse).transpose()?;
        Ok(workspace.with_database(url))
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Arguments),
    Init(init::Arguments),
    Check(check::Arguments),
    Preview(preview::Arguments),
    Plan(plan::Arguments),
    Sync(sync::Arguments),
    Serve(serve::Arguments),
    Apply(apply::Arguments),
    Export(export::Arguments),
    Keys(keys::Arguments),
    Syncs(syncs::Arguments),
    Usage(usage::Arguments),
    Show(show::Arguments),
    Record(record::Arguments),
    Cancel(cancel::Arguments),
    Replay(replay::Arguments),
    Reset(reset::Arguments),
    Test(test::Arguments),
    Catalog(catalog::Arguments),
    Map(map::Arguments),
    Render(render::Arguments),
    Schema(schema::Arguments),
    Source(source::Arguments),
    Explain(explain::Arguments),
}
