//! `mysql`: MySQL 8 and MariaDB. The diff by the server's SHA-2, rows by prepared statements.
//!
//! A schema is a database here, so the managed one is a database of that name. There is no full join,
//! and a statement that makes a table ends the transaction: `statement::apart` and `tracker::swap`
//! stand in for both.

mod connection;
mod dialect;
mod failure;
mod form;
mod grammar;
mod session;
mod settings;
mod stage;
mod types;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::MysqlConnection;
pub(crate) use dialect::MysqlDialect;
pub(crate) use form::FORM;
use settings::ConnectionSettings;

use crate::{registry::Connected, setup::Setup, tracker::Tracker};

/// What an administrator runs, in a session of any settings.
pub(crate) const SETUP: Setup = Setup {
    template: include_str!("setup.sql"),
    name: ticked,
    exact: |name| ticked(&name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%")),
    text: dialect::literal,
};

/// A name, quoted as every session takes it.
fn ticked(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A MySQL or MariaDB source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = ConnectionSettings::read(settings, schema)?;
    Ok(Arc::new(Tracker::new(MysqlDialect, MysqlConnection::new(settings), schema, limits)))
}
