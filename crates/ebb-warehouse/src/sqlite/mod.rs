//! SQLite, the embedded warehouse.
//!
//! The source's file is opened read-only. SQLite has no schemas, so the managed one is a database file
//! beside it, `<name>.<schema>.db`, attached under the schema's name.
//!
//! A column holds values of any type whatever it was declared as, so every column is staged as JSON
//! scalars: each value arrives as what it is.

mod connection;
mod dialect;
mod form;
mod functions;
mod session;
mod stage;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::SqliteConnection;
pub(crate) use dialect::SqliteDialect;
pub(crate) use form::FORM;

use crate::{registry::Connected, tracker::Tracker};

/// An SQLite source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let connection = SqliteConnection::new(settings, schema)?;
    Ok(Arc::new(Tracker::new(SqliteDialect, connection, schema, limits)))
}
