//! What a mapping sends to, as people call it.

use ebb_core::config::Mapping;
use ebb_workspace::Workspace;

/// A destination and its action.
pub(super) struct Tool {
    /// What people call the destination's kind.
    pub(super) name: String,
    /// Two letters that stand for it.
    pub(super) monogram: String,
    /// What people call the action.
    pub(super) action: String,
}

/// The destination and the action of a mapping; what the catalog does not know is called as it is
/// written.
pub(super) fn tool(workspace: &Workspace, mapping: &Mapping) -> Tool {
    let destination = workspace.project.destinations.get(&mapping.destination);
    let definition = destination.and_then(|found| workspace.catalog.find(&found.kind).ok());
    let name = definition.as_ref().map_or(&mapping.destination, |found| &found.manifest.name);
    let label = definition.as_ref().and_then(|found| found.manifest.actions.get(&mapping.action));
    Tool {
        name: name.clone(),
        monogram: monogram(name),
        action: label.map_or_else(|| mapping.action.clone(), |action| action.label.clone()),
    }
}

/// Two letters of a name: of its first two words, or of its only one.
pub(super) fn monogram(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    let mut letters: String = first.chars().take(1).collect();
    match words.next() {
        Some(second) => {
            letters.extend(second.chars().next().map(|letter| letter.to_ascii_lowercase()));
        }
        None => letters.extend(first.chars().nth(1)),
    }
    letters
}
