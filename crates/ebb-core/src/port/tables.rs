//! The tables of a source, for people who write models.

use serde::Serialize;

/// Tables and views that a source's user may read, without Ebb's own and the engine's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tables {
    /// By schema and name.
    pub tables: Vec<Table>,
    /// Whether there are more than are told.
    pub cut: bool,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The schema, database or dataset that it lies in.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// How a query names it: with its schema where that is needed, quoted where that is needed.
    pub sql: String,
    /// In their order.
    pub columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// How a query names it.
    pub sql: String,
    /// The type's name in the source.
    pub native: String,
}

impl Tables {
    /// Tables that are told at most.
    pub const MOST_TABLES: usize = 2_000;
    /// Columns that are told at most, over all tables.
    pub const MOST_COLUMNS: usize = 50_000;
}
