//! What a check found.

use std::fmt;

/// The findings of one check.
#[derive(Debug)]
pub(crate) struct Report {
    /// The check's name, as on the command line.
    name: &'static str,
    /// What was looked at, for the line of a check that passed: `9 crates`.
    looked_at: String,
    /// Broken rules, one sentence each.
    pub(crate) violations: Vec<String>,
    /// What is worth a look and breaks nothing.
    pub(crate) notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(name: &'static str, looked_at: String) -> Self {
        Self { name, looked_at, violations: Vec::new(), notes: Vec::new() }
    }

    pub(crate) fn passed(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        write!(out, "{}: {verdict}, {}", self.name, self.looked_at)?;
        for violation in &self.violations {
            write!(out, "\n  error: {violation}")?;
        }
        for note in &self.notes {
            write!(out, "\n  note: {note}")?;
        }
        Ok(())
    }
}
