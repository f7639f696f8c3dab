//! Where the values of a project stand, for what is found wrong with them later.

use std::collections::BTreeMap;

use super::{Kind, Node, Place};

/// The place of every key, by its path such as `mappings.users.action`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Places(BTreeMap<String, Place>);

impl Places {
    /// The places of all keys of these files.
    pub(super) fn of(files: &[Node]) -> Self {
        let mut places = Self::default();
        for file in files {
            places.add("", file);
        }
        places
    }

    /// The place of a path, or of the nearest key above it that is there.
    pub fn get(&self, path: &str) -> Option<&Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.0.get(path) {
                return Some(place);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    fn add(&mut self, path: &str, node: &Node) {
        let join =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match &node.kind {
            Kind::Null | Kind::Boolean(_) | Kind::Number(_) | Kind::Text(_) => {}
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = join(&index.to_string());
                    self.add(&path, item);
                    self.0.entry(path).or_insert_with(|| item.place.clone());
                }
            }
            Kind::Table(entries) => {
                for entry in entries {
                    let path = join(&entry.key);
                    self.add(&path, &entry.value);
                    self.0.entry(path).or_insert_with(|| entry.place.clone());
                }
            }
        }
    }
}
