//! A field of a form: its label, its input, and what is wrong with what was typed.

use ebb_core::{
    Failure,
    config::{Place, Problem},
};

use crate::{app::Section, prose::Prose};

/// A field, ready to be shown.
pub(crate) struct Field {
    /// The name of the input, and its identity in the page.
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: Vec<Prose>,
    pub(crate) need: Need,
    pub(crate) input: Input,
    /// What was typed; empty for secrets, which are never shown.
    pub(crate) value: String,
    /// What holds if nothing is typed.
    pub(crate) default: String,
    pub(crate) problem: Option<Failure>,
    /// Whether it takes the width of the form.
    pub(crate) wide: bool,
}

impl Field {
    /// Whether it must be right to the letter.
    pub(crate) const fn is_code(&self) -> bool {
        matches!(self.input, Input::Code)
    }
}

/// Whether something must be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// How something is typed.
pub(crate) enum Input {
    /// Words.
    Line,
    /// A name, a path, a number: something that must be right to the letter.
    Code,
    /// Something that is never shown again; a switch from one line to several.
    Secret { stored: bool, lines: bool, typed: bool },
    /// One of these.
    Choice(Vec<Choice>),
    /// Any of these.
    Several(Vec<Choice>),
    /// On or off.
    Switch,
}

/// What may be chosen.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

impl Choice {
    pub(crate) fn new(value: &str, label: &str, chosen: &str) -> Self {
        Self { value: value.to_owned(), label: label.to_owned(), chosen: value == chosen }
    }
}

/// What is wrong with a form: failures with the paths of their values within the entry, such as
/// `settings.host`; empty for the entry as a whole, `None` for what is no fault of the entry.
#[derive(Default)]
pub(crate) struct Problems(Vec<(Option<String>, Failure)>);

impl Problems {
    /// What was told about an entry of a section, whatever its name: a draft has another than what was typed.
    pub(super) fn new(section: Section, problems: Vec<Problem>) -> Self {
        let within = |place: &Place| {
            let path = place.file.strip_prefix(section.as_str())?.strip_prefix('.')?;
            Some(path.split_once('.').map_or("", |(_, path)| path).to_owned())
        };
        let path = |problem: Problem| (problem.place.as_ref().and_then(within), problem.failure);
        Self(problems.into_iter().map(path).collect())
    }

    /// Something that is wrong with one value.
    pub(super) fn at(path: &str, failure: Failure) -> Self {
        Self(vec![(Some(path.to_owned()), failure)])
    }

    /// Takes what is wrong with the value at a path, or below it.
    pub(super) fn take(&mut self, path: &str) -> Option<Failure> {
        self.take_if(|at, _| {
            at.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Takes everything that is wrong with the value at a path, or below it.
    pub(super) fn take_all(&mut self, path: &str) -> Vec<Failure> {
        std::iter::from_fn(|| self.take(path)).collect()
    }

    /// Takes what is wrong with the value at a path as a whole.
    pub(super) fn take_exactly(&mut self, path: &str) -> Option<Failure> {
        self.take_if(|at, _| at == path)
    }

    /// Takes what is wrong with the value at a path and names this word: the check of a kind tells in its
    /// message which setting is meant.
    pub(super) fn take_named(&mut self, path: &str, word: &str) -> Option<Failure> {
        let word = format!("`{word}`");
        self.take_if(|at, failure| at == path && failure.message().contains(&word))
    }

    fn take_if(&mut self, fits: impl Fn(&str, &Failure) -> bool) -> Option<Failure> {
        let fits = |(at, failure): &(Option<String>, Failure)| {
            at.as_ref().is_some_and(|at| fits(at, failure))
        };
        let found = self.0.iter().position(fits)?;
        Some(self.0.remove(found).1)
    }

    /// What belongs to no field.
    pub(super) fn rest(self) -> Vec<Failure> {
        self.0.into_iter().map(|(_, failure)| failure).collect()
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::{
        Code, Failure,
        config::{Place, Problem},
    };

    use super::Problems;
    use crate::app::Section;

    #[test]
    fn a_problem_goes_to_its_field_and_the_rest_stays() {
        let at = |place: &str, message: &str| {
            Problem::at(Place::file(place), Failure::new(Code::ConfigValue, message.to_owned()))
        };
        let problems = vec![
            at("sources.shop.settings", "`port` is no number"),
            at("sources.shop.schema", "empty"),
            at("sources.shop", "no name"),
            at("models.users", "other"),
        ];
        let mut problems = Problems::new(Section::Sources, problems);
        assert!(problems.take_named("settings", "host").is_none());
        assert!(problems.take_named("settings", "port").is_some());
        assert!(problems.take("schem").is_none());
        assert!(problems.take("schema").is_some());
        assert!(problems.take_exactly("").is_some());
        assert!(problems.take_exactly("").is_none());
        assert_eq!(problems.rest().len(), 1);
    }
}
