//! Consent that destinations demand and sources tell of.

use std::collections::BTreeSet;

use super::{Aim, Assembly, Code, Failure, Place, Project};
use crate::suggest;

impl Assembly<'_> {
    /// Reports categories of destinations for which no source names a column, and mappings from a source
    /// that names none for a category of their destination.
    pub(super) fn consent(&mut self, project: &Project) {
        let known: BTreeSet<&str> = project
            .sources
            .values()
            .flat_map(|source| source.consent.keys())
            .map(|key| &**key)
            .collect();
        for (name, destination) in &project.destinations {
            for (number, category) in destination.consent.iter().enumerate() {
                if known.contains(&**category) || self.is_open(category) {
                    continue;
                }
                let message = format!(
                    "the destination `{name}` demands consent to `{category}`, for which no source names a column"
                );
                let help = if known.is_empty() {
                    format!("Name the column in a source: `consent: {{ {category}: COLUMN }}`")
                } else {
                    suggest::allowed(category, known.iter().copied())
                };
                let path = format!("destinations.{name}.consent.{number}");
                self.refuse_consent(project, &path, message, help);
            }
        }
        for (name, mapping) in &project.mappings {
            let source = project.models.get(&mapping.model).map(|model| &model.source);
            let Some((source, columns)) =
                source.and_then(|source| Some((source, &project.sources.get(source)?.consent)))
            else {
                continue;
            };
            let Some(destination) = project.destinations.get(&mapping.destination) else {
                continue;
            };
            for category in &destination.consent {
                // What no source tells of is reported once, at the destination.
                if columns.contains_key(category) || !known.contains(&**category) {
                    continue;
                }
                let message = format!(
                    "the destination `{}` of the mapping `{name}` demands consent to `{category}`, for which the \
                     source `{source}` names no column",
                    mapping.destination
                );
                let help = format!(
                    "Name the column in the source `{source}`: `consent: {{ {category}: COLUMN }}`"
                );
                let path = format!("mappings.{name}.destination");
                self.refuse_consent(project, &path, message, help);
            }
        }
    }

    /// Whether a text stands for something that is not at hand.
    fn is_open(&self, text: &str) -> bool {
        self.aim == Aim::Review && text.contains("${")
    }

    fn refuse_consent(&mut self, project: &Project, path: &str, message: String, help: String) {
        let place = project.places.get(path).cloned().unwrap_or_else(|| Place::file(path));
        self.report(&place, Failure::new(Code::ConfigName, message).help(help));
    }
}
