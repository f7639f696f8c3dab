//! Consent: what a record must have before a destination may have the record.

use super::Project;

/// A category of consent that a record must have, and the column that tells whether it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The category, as source and destination name it.
    pub category: String,
    /// The column of the model.
    pub column: String,
}

impl Project {
    /// What a record of a source must consent to before it goes to a destination. A project whose source
    /// names no column for a category of the destination was refused when it was read.
    pub fn demands(&self, source: &str, destination: &str) -> Vec<Demand> {
        let categories =
            self.destinations.get(destination).into_iter().flat_map(|found| &found.consent);
        let columns = self.sources.get(source).map(|found| &found.consent);
        let demand = |category: &String| {
            // A category without a column demands one that no model has: then nothing is sent.
            let column = columns.and_then(|columns| columns.get(category)).cloned();
            Demand { category: category.clone(), column: column.unwrap_or_default() }
        };
        categories.map(demand).collect()
    }
}
