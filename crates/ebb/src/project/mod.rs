//! Reads a project folder: finds its files, parses them, and looks up what they refer to.

mod files;
#[cfg(test)]
mod tests;
mod world;
mod yaml;

use std::path::{Path, PathBuf};

use ebb_core::{
    Code, Failure,
    config::{
        Node, Problem, Project, Surroundings, assemble, assemble_without_secrets, dbt::Manifest,
    },
};

use crate::report::Stop;
pub(crate) use world::World;

/// Reads the project in a folder with its secrets. All that is wrong with it is reported at once.
pub(crate) fn load(folder: &Path) -> Result<Project, Stop> {
    let root = root(folder)?;
    read(&root, folder, assemble, &World::new(&root))
}

/// Reads the project in a folder and leaves `${env:…}` and `${file:…}` as they are written: for
/// commands that connect to nothing, and for machines that do not have the secrets.
pub(crate) fn load_without_secrets(folder: &Path) -> Result<Project, Stop> {
    let root = root(folder)?;
    read(&root, folder, assemble_without_secrets, &World::new(&root))
}

/// As [`load_without_secrets`], with a dbt manifest that stands for the one of its dbt project.
pub(crate) fn load_with_manifest(
    folder: &Path,
    manifest: &Manifest,
    text: &str,
) -> Result<Project, Stop> {
    let root = root(folder)?;
    let world = world::WithManifest::new(World::new(&root), manifest, text);
    read(&root, folder, assemble_without_secrets, &world)
}

type Assemble = fn(&Path, Vec<Node>, &dyn Surroundings) -> Result<Project, Vec<Problem>>;

/// What starts from the project folder must not depend on where the process is later.
fn root(folder: &Path) -> Result<PathBuf, Stop> {
    let root = std::path::absolute(folder).map_err(|error| {
        Failure::new(Code::ProjectMissing, "the project folder has no name").caused_by(error)
    })?;
    Ok(root.components().collect())
}

fn read(
    root: &Path,
    folder: &Path,
    assemble: Assemble,
    world: &dyn Surroundings,
) -> Result<Project, Stop> {
    let mut problems = Vec::new();
    let mut nodes = Vec::new();
    for name in files::of(root, folder)? {
        match files::text(root, &name).and_then(|text| yaml::parse(&name, &text)) {
            Ok(node) => nodes.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    // A file that cannot be read may define what the others refer to.
    if !problems.is_empty() {
        return Err(problems.into());
    }
    Ok(assemble(root, nodes, world)?)
}
