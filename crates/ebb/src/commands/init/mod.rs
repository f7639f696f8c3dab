//! `ebb init`: a starter project, with a small database so that it works at once.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use ebb_core::{Code, Failure, config};
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// Write a commented starter project
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder, which is made if it is missing; that of `--project` if absent
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// The database that the starter reads.
const DATABASE: &str = "shop.db";
/// What makes the database.
const DATABASE_SQL: &str = include_str!("shop.sql");
/// Written where there is none; an existing one is left as it is.
const IGNORE: &str = ".gitignore";

/// Writes the starter.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let folder = arguments.folder.as_ref().unwrap_or(&global.project);
    let files = write(folder)?;
    if global.json {
        print_json(&json!({ "folder": folder, "files": files }));
    } else {
        let names: Vec<_> = files.iter().map(|name| format!("  {name}\n")).collect();
        print_text(&format!(
            "A project is in `{shown}`:\n{}Try `ebb check --project {shown}`\n",
            names.concat(),
            shown = folder.display()
        ));
    }
    Ok(Finish::Done)
}

/// Writes the files of the starter and gives their names. It overwrites nothing.
fn write(folder: &Path) -> Result<Vec<&'static str>, Failure> {
    let mut schema =
        serde_json::to_string_pretty(&config::schema()).expect("a schema has text keys alone");
    schema.push('\n');
    let mut files = vec![
        ("ebb.yaml", include_str!("starter.yaml")),
        ("ebb.schema.json", &*schema),
        ("models/users.sql", include_str!("users.sql")),
    ];
    let names = files.iter().map(|(name, _)| *name);
    if let Some(taken) = names.chain([DATABASE]).find(|name| folder.join(name).exists()) {
        let path = folder.join(taken);
        let message = format!("`{}` exists already", path.display());
        return Err(Failure::new(Code::ProjectExists, message));
    }
    if !folder.join(IGNORE).exists() {
        files.push((IGNORE, include_str!("starter.gitignore")));
    }
    for (name, text) in &files {
        let path = folder.join(name);
        create(&path, text).map_err(|error| unwritable(&path, &error))?;
    }
    let path = folder.join(DATABASE);
    rusqlite::Connection::open(&path)
        .and_then(|database| database.execute_batch(DATABASE_SQL))
        .map_err(|error| unwritable(&path, &error))?;
    Ok(files.iter().map(|(name, _)| *name).chain([DATABASE]).collect())
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

fn unwritable(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::new(Code::FileMissing, format!("`{}` cannot be written: {error}", path.display()))
        .help("Choose a folder in which the user of `ebb` may write")
}
