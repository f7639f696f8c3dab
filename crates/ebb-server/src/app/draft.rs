//! Changes that are tried before they are made: nothing of a draft is kept.

use ebb_core::{Failure, config::Problem};
use serde_json::{Map, Value};

use super::{App, Change, Configuration, Section, edit::could_sync};

/// The name of what has none yet. It is free: names begin with a letter or a digit, and nobody is told it.
const NAMELESS: &str = "draft";

impl App {
    /// The configuration as it would be with this entry, if everything is right with it.
    ///
    /// `name` is that of an entry that people made, of which secrets that are left out stay; without one the
    /// entry is new, and [`Draft::name`] says what it is called meanwhile.
    pub(crate) fn draft(
        &self,
        section: Section,
        name: Option<&str>,
        document: Map<String, Value>,
    ) -> Result<Draft, Vec<Problem>> {
        let now = self.configuration();
        let name = name.map_or_else(|| free_name(&now, section), str::to_owned);
        let change = Change { section, name, document: Some(document), expected: None };
        let configuration = Self::tried(&now, &change)?;
        Ok(Draft { configuration, name: change.name })
    }

    /// An edit before it is made, of an entry that could be kept so.
    pub(crate) fn edited(
        &self,
        section: Section,
        name: &str,
        document: Map<String, Value>,
    ) -> Result<Draft, Vec<Problem>> {
        let draft = self.draft(section, Some(name), document)?;
        could_sync(&draft.configuration.workspace, (section == Section::Mappings).then_some(name))?;
        Ok(draft)
    }
}

/// A configuration that does not hold.
pub(crate) struct Draft {
    pub(crate) configuration: Configuration,
    /// What the entry is called in it.
    pub(crate) name: String,
}

impl Draft {
    /// Problems of the entry's making, with its secrets taken out.
    pub(crate) fn told(&self, failure: Failure) -> Failure {
        let redactor = self.configuration.workspace.redactor();
        failure.map_message(|text| redactor.redact(&text))
    }
}

fn free_name(now: &Configuration, section: Section) -> String {
    let mut names = std::iter::once(NAMELESS.to_owned())
        .chain((2..).map(|number| format!("{NAMELESS}-{number}")));
    names.find(|name| now.find(section, name).is_err()).unwrap_or_else(|| NAMELESS.to_owned())
}
