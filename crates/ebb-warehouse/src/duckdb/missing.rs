//! What stands for DuckDB in a build without it: its form, and a failure that says how to get it.

mod form;

use ebb_core::{Code, Failure, Limits, config::Settings};

use crate::registry::Connected;

pub(crate) use form::FORM;

/// Fails with `C510`.
pub(crate) fn source(_: &Settings, _: &str, _: &Limits) -> Connected {
    let message = "this build of Ebb lacks sources of kind `duckdb`";
    Err(Failure::new(Code::FeatureMissing, message).help(
        "Build Ebb with `--features duckdb-bundled`, or with `--features duckdb` and the library's folder \
         in `DUCKDB_LIB_DIR`",
    ))
}
