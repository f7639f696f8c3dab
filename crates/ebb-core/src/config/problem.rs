//! What is wrong with a project, and where.

use std::{fmt, sync::Arc};

use crate::Failure;

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as seen from the project folder.
    pub file: Arc<str>,
    /// The line, from 1; 0 means the file as a whole.
    pub line: u64,
    /// The column in characters, from 1; 0 means the line as a whole.
    pub column: u64,
}

impl Place {
    /// A file as a whole.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }
}

/// `file:line:column`, as terminals and editors make links of.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.file)?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
            if self.column > 0 {
                write!(out, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// A failure and the place in the configuration that causes it, where there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What is wrong and what to do.
    pub failure: Failure,
    /// Where to look.
    pub place: Option<Place>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(place: Place, failure: Failure) -> Self {
        Self { failure, place: Some(place) }
    }

    /// The problem as people read it in lines: code, sentence, place, remedy.
    pub fn told(&self) -> String {
        let Self { failure, place } = self;
        let place = place.as_ref().map(|place| format!("   at: {place}\n")).unwrap_or_default();
        let (code, message, advice) = (failure.code, failure.message(), failure.advice());
        format!("error[{code}]: {message}\n{place} help: {advice}\n")
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { failure, place: None }
    }
}
