//! What a `sqlite` source is and takes.

use crate::{file, form::Form};

pub(crate) static FORM: Form = Form {
    kind: "sqlite",
    name: "SQLite",
    description: "An SQLite database file on Ebb's own machine, which Ebb only reads",
    guide: "docs/sources/sqlite.md",
    available: true,
    schemes: &[],
    settings: &file::SETTINGS,
};
