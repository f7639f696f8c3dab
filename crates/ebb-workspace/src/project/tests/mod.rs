//! Projects as people write them, right and wrong, and the whole answer to each.

mod alerts;
mod good;
mod keys;
mod models;
mod names;
mod schedules;
mod secrets;
mod sign_in;
mod values;

use std::{fs, path::Path};

use ebb_core::config::{Problem, Project};
use tempfile::TempDir;

use super::{load, load_without_secrets};

/// A project folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Problems as people read them.
fn told(problems: &[Problem]) -> String {
    problems.iter().map(Problem::told).collect()
}

/// A project that must be right.
fn project(files: &[(&str, &str)]) -> Project {
    load(folder(files).path()).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

/// What people read about a project that must be wrong.
fn complaint(files: &[(&str, &str)]) -> String {
    complaint_about(folder(files).path())
}

fn complaint_about(folder: &Path) -> String {
    let problems = load(folder).expect_err("the project is wrong");
    told(&problems).replace(folder.to_str().unwrap(), "FOLDER")
}

/// A project of one file that is right but for what is added.
fn with(more: &str) -> String {
    complaint(&[("ebb.yaml", &format!("{SHOP}{more}"))])
}

const SHOP: &str = "\
project: shop
sources:
  shop: { kind: sqlite, settings: { path: shop.db } }
models:
  users: { source: shop, query: select 1 as id, id: id }
destinations:
  hook: { kind: webhook }
";
