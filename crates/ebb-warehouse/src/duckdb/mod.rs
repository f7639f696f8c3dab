//! DuckDB: the managed schema lies in the source's own file.
//!
//! One process may write a file at a time. All sessions of this process share one open database, which
//! is closed with the last of them, so that other programs get their turn between syncs.

mod connection;
mod dialect;
mod form;
mod session;
mod stage;
mod types;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::DuckConnection;
pub(crate) use dialect::DuckDialect;
pub(crate) use form::FORM;

use crate::{registry::Connected, tracker::Tracker};

/// A DuckDB source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    Ok(Arc::new(Tracker::new(DuckDialect, DuckConnection::new(settings)?, schema, limits)))
}
