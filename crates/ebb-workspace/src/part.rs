//! A folder's configuration as a server takes it, which may have the rest.

use std::path::Path;

use ebb_core::{
    Code, Failure,
    config::{Kind, Node, Place, Problem, Project, assemble_part, resolve},
};
use serde_json::{Map, Value};

use crate::project::{self, World};

/// Sections whose settings may hold secrets: a server keeps them apart.
const WITH_SETTINGS: [&str; 3] = ["sources", "destinations", "channels"];

/// What a folder has of a configuration. Its entries may name what only the server has to which it is sent.
pub struct Part {
    /// With its secrets.
    project: Project,
    files: Vec<Node>,
    world: World,
}

impl Part {
    /// Reads a folder with its secrets.
    pub fn open(folder: &Path) -> Result<Self, Vec<Problem>> {
        let root = project::root(folder)?;
        let files = project::nodes(&root, folder)?;
        let world = World::new(&root);
        Ok(Self { project: assemble_part(&root, files.clone(), &world)?, files, world })
    }

    /// A problem that a server found at the path of a value, with its place in the files.
    #[must_use]
    pub fn placed(&self, problem: Problem) -> Problem {
        let Problem { failure, place } = problem;
        let here = |place: Place| self.project.places.get(&place.file).cloned().unwrap_or(place);
        Problem { failure, place: place.map(here) }
    }

    /// The documents of a folder by section and name, complete in themselves: what references in settings
    /// stand for is looked up here, and a model has the text of the SQL file or dbt model that it names.
    ///
    /// A model or mapping that refers to the environment fails: a server would show to everybody what the
    /// reference stands for.
    pub fn documents(&self) -> Result<Map<String, Value>, Vec<Problem>> {
        let project = &self.project;
        let sections = [
            ("sources", project.sources.keys().collect::<Vec<_>>()),
            ("models", project.models.keys().collect()),
            ("destinations", project.destinations.keys().collect()),
            ("mappings", project.mappings.keys().collect()),
            ("channels", project.channels.keys().collect()),
            ("alert_rules", project.alert_rules.keys().collect()),
        ];
        let mut problems = Vec::new();
        let mut documents = Map::new();
        for (section, names) in sections {
            let mut entries = Map::new();
            for name in names {
                match self.document(section, name) {
                    Ok(document) => drop(entries.insert(name.clone(), document)),
                    Err(failure) => problems.push(failure.into()),
                }
            }
            documents.insert(section.to_owned(), entries.into());
        }
        if problems.is_empty() { Ok(documents) } else { Err(problems) }
    }

    fn document(&self, section: &str, name: &str) -> Result<Value, Failure> {
        let mut document = written(&self.files, section, name).unwrap_or_default();
        let model = self.project.models.get(name).filter(|_| section == "models");
        if let (Some(model), Some(keys)) = (model, document.as_object_mut()) {
            let from_file = keys.remove("sql").is_some() | keys.remove("dbt").is_some();
            if from_file {
                keys.remove("columns");
                keys.insert("id".to_owned(), model.id.clone().into());
            }
            let found = resolve(&mut document, &self.world)?;
            if let (true, Some(keys)) = (from_file, document.as_object_mut()) {
                keys.insert("query".to_owned(), model.query.clone().into());
            }
            return if found.is_empty() { Ok(document) } else { Err(refers(section, name)) };
        }
        let found = resolve(&mut document, &self.world)?;
        if found.is_empty() || WITH_SETTINGS.contains(&section) {
            return Ok(document);
        }
        Err(refers(section, name))
    }
}

fn refers(section: &str, name: &str) -> Failure {
    let message = format!(
        "`{section}.{name}` refers to the environment or a file, and a server would show what stands there"
    );
    Failure::new(Code::ConfigValue, message)
        .help("Put it into a setting of the source or destination, or leave it to the project files that the server itself reads")
}

/// What files say of an entry.
pub(crate) fn written(files: &[Node], section: &str, name: &str) -> Option<Value> {
    files.iter().find_map(|file| Some(as_written(entry(entry(file, section)?, name)?)))
}

/// The value of a key of a table.
fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Kind::Table(entries) = &node.kind else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

fn as_written(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Boolean(truth) => (*truth).into(),
        Kind::Number(number) => number.clone().into(),
        Kind::Text(text) => text.written().into(),
        Kind::List(items) => items.iter().map(as_written).collect(),
        Kind::Table(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), as_written(&entry.value)));
            entries.collect::<Map<_, _>>().into()
        }
    }
}
