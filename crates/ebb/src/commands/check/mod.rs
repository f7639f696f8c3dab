//! `ebb check`: is everything right, and does everything answer.

mod dbt;

use std::path::PathBuf;

use ebb_core::{
    Failure,
    config::{Place, Problem},
    port::ModelQuery,
};
use serde_json::json;

use ebb_workspace::Workspace;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    view,
};

/// Validate the project, then test every connection and permission
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Say instead what this manifest of a dbt project would break for enabled mappings
    #[arg(long, value_name = "FILE")]
    dbt_manifest: Option<PathBuf>,
    /// The manifest to compare it with; the one that the project names if absent
    #[arg(long, value_name = "FILE", requires = "dbt_manifest")]
    against: Option<PathBuf>,
}

/// The steps of a source's check without which no model can be read.
const READING: [&str; 4] = ["reach", "sign in", "open", "read"];

/// One thing that was looked at.
struct Step {
    what: String,
    failure: Option<Failure>,
    place: Option<String>,
}

impl Step {
    fn json(&self) -> serde_json::Value {
        let failure = self.failure.as_ref().map(view::failure);
        json!({ "what": self.what, "failure": failure, "place": self.place })
    }
}

/// Looks at everything and says all that is wrong, each with its remedy.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    if let Some(manifest) = &arguments.dbt_manifest {
        return dbt::run(manifest, arguments.against.as_deref(), global);
    }
    let workspace = global.workspace()?;
    let mut steps = vec![step("project", None, None)];
    let mut silent = Vec::new();
    for name in workspace.project.sources.keys() {
        let place = workspace.project.places.get(&format!("sources.{name}"));
        match workspace.warehouse(name) {
            Err(failure) => steps.push(step(&format!("source {name}"), Some(failure), place)),
            Ok(warehouse) => {
                for finding in warehouse.check().await {
                    if finding.failure.is_some() && READING.contains(&finding.step) {
                        silent.push(name);
                    }
                    let what = format!("source {name}: {}", finding.step);
                    steps.push(step(&what, finding.failure, place));
                }
            }
        }
    }
    for name in workspace.project.destinations.keys() {
        let place = workspace.project.places.get(&format!("destinations.{name}"));
        let failure = match workspace.connector(name) {
            Err(failure) => Some(failure),
            Ok(connector) => connector.probe().await,
        };
        steps.push(step(&format!("destination {name}"), failure, place));
    }
    for (name, channel) in &workspace.project.channels {
        let place = workspace.project.places.get(&format!("channels.{name}"));
        let failure = ebb_server::check_channel(channel).err();
        steps.push(step(&format!("channel {name}"), failure, place));
    }
    let mut untried = Vec::new();
    for (name, wanted) in &workspace.project.mappings {
        let model = workspace.project.models.get(&wanted.model);
        if model.is_some_and(|model| silent.contains(&&model.source)) {
            untried.push(name);
            continue;
        }
        let place = workspace.project.places.get(&format!("mappings.{name}"));
        steps.push(step(&format!("mapping {name}"), mapping(&workspace, name).await.err(), place));
    }
    let redactor = workspace.redactor();
    for step in &mut steps {
        let failure = step.failure.take();
        step.failure = failure.map(|failure| failure.map_message(|text| redactor.redact(&text)));
    }
    let wrong = steps.iter().filter(|step| step.failure.is_some()).count();
    if global.json {
        let steps: Vec<_> = steps.iter().map(Step::json).collect();
        print_json(&json!({ "ok": wrong == 0, "steps": steps, "untried": untried }));
    } else {
        steps.into_iter().for_each(show);
        for name in untried {
            print_text(&format!("-     mapping {name}: not tried, its source does not answer\n"));
        }
        print_text(&match wrong {
            0 => "everything is right\n".to_owned(),
            1 => "1 problem\n".to_owned(),
            wrong => format!("{wrong} problems\n"),
        });
    }
    Ok(if wrong == 0 { Finish::Done } else { Finish::DoneWithFailures })
}

/// The model's columns are asked for, and the fields compiled against them.
async fn mapping(workspace: &Workspace, name: &str) -> Result<(), Failure> {
    let mut job = workspace.job_of(name)?;
    let query: &ModelQuery = &job.query;
    job.plan.columns = job.warehouse.columns(query).await?;
    job.action(&workspace.project.limits).map(drop)
}

fn step(what: &str, failure: Option<Failure>, place: Option<&Place>) -> Step {
    Step { what: what.to_owned(), failure, place: place.map(ToString::to_string) }
}

fn show(step: Step) {
    match step.failure {
        None => print_text(&format!("ok    {}\n", step.what)),
        Some(failure) => {
            let problem = Problem::from(failure);
            let place = step.place.map(|place| format!("   at: {place}\n")).unwrap_or_default();
            print_text(&format!("FAIL  {}\n{place}{}", step.what, Stop(vec![problem]).text()));
        }
    }
}
