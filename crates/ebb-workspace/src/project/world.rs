//! The environment and the files that a project refers to.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebb_core::{
    Secret,
    config::{Surroundings, Unreadable, dbt::Manifest},
    suggest,
};

/// The real ones.
#[derive(Debug, Clone)]
pub struct World {
    root: PathBuf,
    secrets: Arc<BTreeMap<String, Secret>>,
}

impl World {
    /// The world as seen from a project folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), secrets: Arc::default() }
    }

    /// The same with the secrets that a server keeps.
    #[must_use]
    pub fn with_secrets(self, secrets: BTreeMap<String, Secret>) -> Self {
        Self { secrets: Arc::new(secrets), ..self }
    }

    /// The file of the same folder whose name is most like a missing one.
    fn nearest(&self, path: &str) -> Option<String> {
        let wanted = Path::new(path);
        let folder = wanted.parent()?;
        let names: Vec<String> = fs::read_dir(self.root.join(folder))
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let name =
            suggest::nearest(wanted.file_name()?.to_str()?, names.iter().map(String::as_str))?;
        Some(folder.join(name).to_str()?.replace('\\', "/"))
    }
}

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "this is the project loader")]
        std::env::var(name).ok()
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.secrets.get(name).map(|secret| secret.expose().to_owned())
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        fs::read_to_string(self.root.join(path)).map_err(|error| {
            let kind = error.kind();
            if kind == io::ErrorKind::NotFound {
                Unreadable { why: "does not exist".to_owned(), nearest: self.nearest(path) }
            } else if kind == io::ErrorKind::InvalidData {
                Unreadable { why: "is not UTF-8 text".to_owned(), nearest: None }
            } else {
                Unreadable { why: format!("cannot be read: {error}"), nearest: None }
            }
        })
    }
}

/// A world in which a dbt manifest stands for the one of its dbt project, which need not be there.
pub(super) struct WithManifest<'a> {
    world: World,
    manifest: &'a Manifest,
    text: &'a str,
}

impl<'a> WithManifest<'a> {
    pub(super) const fn new(world: World, manifest: &'a Manifest, text: &'a str) -> Self {
        Self { world, manifest, text }
    }

    /// Whether a file is another dbt project's manifest, or none.
    fn is_another(&self, found: &str) -> bool {
        Manifest::parse(found).map_or(true, |found| {
            found.project.is_some()
                && self.manifest.project.is_some()
                && found.project != self.manifest.project
        })
    }
}

impl Surroundings for WithManifest<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.world.variable(name)
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        let found = self.world.read(path);
        let json = Path::new(path).extension().is_some_and(|extension| extension == "json");
        if !json || found.as_ref().is_ok_and(|found| self.is_another(found)) {
            return found;
        }
        Ok(self.text.to_owned())
    }
}
