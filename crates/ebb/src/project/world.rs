//! The environment and the files that a project refers to.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ebb_core::{
    config::{Surroundings, Unreadable},
    suggest,
};

/// The real ones.
pub(crate) struct World {
    root: PathBuf,
}

impl World {
    /// The world as seen from a project folder.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
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
