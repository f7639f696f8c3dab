//! What a mapping reads of a row.

use std::collections::BTreeSet;

use crate::Problem;

/// The columns that a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// The columns that it names, by their places in the model.
    pub columns: BTreeSet<usize>,
    /// Whether it reads the event as a whole, and with it every column.
    pub whole: bool,
    /// The columns that it names and the model lacks.
    pub missing: BTreeSet<String>,
    /// Paths that lead nowhere, such as to a column that does not exist: warnings.
    pub unknown: Vec<Problem>,
}
