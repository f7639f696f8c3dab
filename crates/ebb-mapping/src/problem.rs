//! What is wrong with a mapping, and what went wrong with a record.

use std::fmt;

/// Why a mapping cannot be compiled, or what in it is doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `/email/@path`; empty for the whole mapping.
    pub path: String,
    /// What is expected there, as a whole sentence with the path.
    pub message: String,
}

impl Problem {
    /// A problem at a place; `expectation` goes on after the place, such as "must be text".
    pub(crate) fn new(path: &str, expectation: impl fmt::Display) -> Self {
        let place = if path.is_empty() { "the mapping" } else { path };
        Self { path: path.to_owned(), message: format!("`{place}` {expectation}") }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Why a directive failed on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    path: Vec<String>,
    reason: String,
}

impl MappingError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: Vec::new(), reason: reason.into() }
    }

    /// The same error, seen from the object or list that holds its place.
    pub(crate) fn within(mut self, key: impl fmt::Display) -> Self {
        self.path.push(key.to_string());
        self
    }

    /// The field whose directive failed, such as `traits.email`; empty for the whole mapping.
    pub fn path(&self) -> String {
        self.path.iter().rev().map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// What happened, without the place.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            out.write_str(&self.reason)
        } else {
            write!(out, "`{}`: {}", self.path(), self.reason)
        }
    }
}

impl std::error::Error for MappingError {}
