//! Reads a project folder: finds its files, parses them, and looks up what they refer to.
//!
//! Functions fail with all that is wrong, each problem with its place.

mod files;
#[cfg(test)]
mod tests;
mod world;
mod yaml;

use std::path::{Path, PathBuf};

use ebb_core::{
    Code, Failure,
    config::{Node, Problem, Project, assemble, assemble_without_secrets, dbt::Manifest},
};

pub use world::World;

/// Reads the project in a folder with its secrets. All that is wrong with it is reported at once.
pub fn load(folder: &Path) -> Result<Project, Vec<Problem>> {
    let root = root(folder)?;
    assemble(&root, nodes(&root, folder)?, &World::new(&root))
}

/// Reads the project in a folder and leaves `${env:…}` and `${file:…}` as they are written: for
/// commands that connect to nothing, and for machines that do not have the secrets.
pub fn load_without_secrets(folder: &Path) -> Result<Project, Vec<Problem>> {
    let root = root(folder)?;
    assemble_without_secrets(&root, nodes(&root, folder)?, &World::new(&root))
}

/// As [`load_without_secrets`], with a dbt manifest that stands for the one of its dbt project.
pub fn load_with_manifest(
    folder: &Path,
    manifest: &Manifest,
    text: &str,
) -> Result<Project, Vec<Problem>> {
    let root = root(folder)?;
    let world = world::WithManifest::new(World::new(&root), manifest, text);
    assemble_without_secrets(&root, nodes(&root, folder)?, &world)
}

/// What starts from the project folder must not depend on where the process is later.
pub(crate) fn root(folder: &Path) -> Result<PathBuf, Vec<Problem>> {
    let root = std::path::absolute(folder).map_err(|error| {
        let message = "the project folder has no name";
        alone(Failure::new(Code::ProjectMissing, message).caused_by(error))
    })?;
    Ok(root.components().collect())
}

/// The files of a project, parsed; `shown` is its folder as it was typed.
pub(crate) fn nodes(root: &Path, shown: &Path) -> Result<Vec<Node>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut nodes = Vec::new();
    for name in files::of(root, shown).map_err(alone)? {
        match files::text(root, &name).and_then(|text| yaml::parse(&name, &text)) {
            Ok(node) => nodes.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    // A file that cannot be read may define what the others refer to.
    if problems.is_empty() { Ok(nodes) } else { Err(problems) }
}

fn alone(failure: Failure) -> Vec<Problem> {
    vec![failure.into()]
}
