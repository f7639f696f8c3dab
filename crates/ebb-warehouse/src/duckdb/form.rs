//! What a `duckdb` source is and takes.

use crate::{file, form::Form};

pub(crate) static FORM: Form = Form {
    kind: "duckdb",
    name: "DuckDB",
    description: "A DuckDB database file on Ebb's own machine",
    guide: "docs/sources/duckdb.md",
    available: cfg!(feature = "duckdb"),
    schemes: &[],
    settings: &file::SETTINGS,
};
