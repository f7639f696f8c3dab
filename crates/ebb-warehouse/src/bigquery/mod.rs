//! `bigquery`: statements as jobs of the REST interface, rows from the pages of their results, and many changes from
//! the Storage Read API.
//!
//! A job stands for itself: there is no session, so a transaction is one script, from `begin transaction` to
//! `commit transaction`, and such a script may write rows but make no tables. That is the commit in three
//! steps (`tracker::commit::gathered`); the shape of the tracked records is told by their table's own
//! description. A job has its id from here, so a request whose answer was lost is sent again and finds the
//! job that the first one made.
//!
//! Whether tables are there is asked of the service itself, not of the information schema: a query of that
//! takes a second, is billed, and fails where the dataset is not there yet.

mod answer;
mod client;
mod connection;
mod credentials;
mod decode;
mod dialect;
mod failure;
mod form;
mod job;
mod pages;
mod question;
mod session;
mod settings;
mod storage;
mod tables;
mod types;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::BigQueryConnection;
pub(crate) use dialect::BigQueryDialect;
pub(crate) use form::FORM;
use settings::ConnectionSettings;

use crate::{registry::Connected, setup::Setup, tracker::Tracker};

/// What an administrator runs.
pub(crate) const SETUP: Setup = Setup {
    template: include_str!("setup.sql"),
    // Names stand within texts and commands, too, which they must not end.
    name: |name| name.replace(['\'', '"', '`', '\\', ' ', '\n'], ""),
    exact: dialect::quoted,
    text: dialect::literal,
};

/// A BigQuery source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = ConnectionSettings::read(settings, schema)?;
    Ok(Arc::new(Tracker::new(BigQueryDialect, BigQueryConnection::new(settings)?, schema, limits)))
}
