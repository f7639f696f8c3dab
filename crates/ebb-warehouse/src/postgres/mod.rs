//! `postgres`: the diff by the server's own row hash, rows by binary copy.

mod connection;
mod copy;
mod dialect;
mod form;
mod session;
mod settings;
mod types;

use std::sync::{Arc, OnceLock};

use ebb_core::{Limits, config::Settings};

use connection::PostgresConnection;
use dialect::PostgresDialect;
pub(crate) use form::FORM;
use settings::PostgresSettings;

use crate::{
    pgwire::{literal, quoted},
    registry::Connected,
    setup::{Setup, is_plain},
    tracker::Tracker,
};

/// What an administrator runs.
pub(crate) const SETUP: Setup = Setup {
    template: include_str!("setup.sql"),
    name: |name| if is_plain(name) { name.to_owned() } else { quoted(name) },
    exact: quoted,
    text: literal,
};

/// A PostgreSQL source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = PostgresSettings::read(settings, schema)?;
    let version = Arc::new(OnceLock::new());
    let dialect = PostgresDialect::new(Arc::clone(&version));
    Ok(Arc::new(Tracker::new(dialect, PostgresConnection::new(settings, version), schema, limits)))
}
