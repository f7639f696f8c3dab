//! `ebb source setup`: what a source needs from its administrator.

use std::collections::BTreeMap;

use ebb_core::{Failure, config::Source};
use serde_json::json;

use ebb_workspace::project;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// Print the SQL that makes a user for Ebb with the least rights
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A kind of source, or the name of one in the project, whose user, database and schema are taken
    #[arg(value_name = "KIND|SOURCE")]
    source: String,
    /// The user that Ebb signs in as
    #[arg(long)]
    user: Option<String>,
    /// The database
    #[arg(long)]
    database: Option<String>,
    /// A schema that models may read; may be given several times
    #[arg(long, value_name = "SCHEMA")]
    reads: Vec<String>,
    /// The managed schema
    #[arg(long)]
    schema: Option<String>,
}

/// Prints it.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let project = if global.project.join("ebb.yaml").exists() {
        Some(project::load_without_secrets(&global.project)?)
    } else {
        None
    };
    let source = project.as_ref().and_then(|project| project.sources.get(&arguments.source));
    let kind = source.map_or(arguments.source.as_str(), |source| source.kind.as_str());
    print(kind, ebb_warehouse::setup(kind, &arguments.names(source))?, global.json)
}

impl Arguments {
    /// What was typed, and what the project's source says where nothing was.
    fn names(&self, source: Option<&Source>) -> BTreeMap<String, Vec<String>> {
        let written = |key: &str| {
            let text = source?.settings.get(key)?.as_str()?;
            (!text.contains("${")).then(|| text.to_owned())
        };
        let one = |typed: &Option<String>, known: Option<String>| {
            typed.clone().or(known).into_iter().collect::<Vec<_>>()
        };
        let names = [
            ("user", one(&self.user, written("user"))),
            ("database", one(&self.database, written("database"))),
            ("reads", self.reads.clone()),
            ("schema", one(&self.schema, source.map(|source| source.schema.clone()))),
        ];
        let given = names.into_iter().filter(|(_, values)| !values.is_empty());
        given.map(|(name, values)| (name.to_owned(), values)).collect()
    }
}

fn print(kind: &str, sql: Option<String>, json: bool) -> Result<Finish, Stop> {
    if json {
        print_json(&json!({ "kind": kind, "sql": sql }));
        return Ok(Finish::Done);
    }
    let Some(sql) = sql else {
        let message = format!("a `{kind}` source is a file: it has no users to set up");
        let failure = Failure::new(ebb_core::Code::SourceSettings, message)
            .help("Let the user who runs Ebb read the file and write beside it");
        return Err(failure.into());
    };
    print_text(&sql);
    Ok(Finish::Done)
}
