//! `mysql`: MySQL 8 and MariaDB. The diff by the server's SHA-2, rows by prepared statements.
//!
//! A schema is a database here, so the managed one is a database of that name. There is no full join,
//! and a statement that makes a table ends the transaction: `statement::apart` and `tracker::swap`
//! stand in for both.

mod connection;
mod dialect;
mod failure;
mod grammar;
mod session;
mod settings;
mod stage;
mod types;

use ebb_core::{Failure, Limits, config::Settings};

use connection::MysqlConnection;
pub(crate) use dialect::MysqlDialect;
use settings::ConnectionSettings;

use crate::tracker::Tracker;

/// A MySQL or MariaDB source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(
    settings: &Settings,
    schema: &str,
    limits: &Limits,
) -> Result<Tracker<MysqlDialect, MysqlConnection>, Failure> {
    let settings = ConnectionSettings::read(settings, schema)?;
    Ok(Tracker::new(MysqlDialect, MysqlConnection::new(settings), schema, limits))
}
