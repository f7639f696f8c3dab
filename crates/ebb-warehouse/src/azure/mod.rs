//! `azure`: Azure SQL, SQL Server, and dedicated SQL pools of Synapse. The diff by the server's SHA-256,
//! rows by TDS.
//!
//! Which product answers shows when a session opens. In a pool of Synapse no transaction holds a
//! statement about tables, so its commit comes in steps (`tracker::commit::gathered`); the others put
//! everything into one transaction.

mod connection;
mod credentials;
mod dialect;
mod failure;
mod form;
mod session;
mod settings;
mod stage;
mod tunnel;
mod types;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::AzureConnection;
#[cfg(test)]
pub(crate) use dialect::Product;
pub(crate) use dialect::TsqlDialect;
pub(crate) use form::FORM;
use settings::ConnectionSettings;

use crate::{registry::Connected, setup::Setup, tracker::Tracker};

/// What an administrator runs.
pub(crate) const SETUP: Setup = Setup {
    template: include_str!("setup.sql"),
    name: dialect::quoted,
    exact: dialect::quoted,
    text: dialect::literal,
};

/// A source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = ConnectionSettings::read(settings, schema)?;
    let product = Arc::default();
    let dialect = TsqlDialect::new(Arc::clone(&product));
    Ok(Arc::new(Tracker::new(dialect, AzureConnection::new(settings, product)?, schema, limits)))
}
