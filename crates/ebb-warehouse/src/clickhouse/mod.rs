//! `clickhouse`: statements by the HTTP interface, rows as one stream of Arrow.
//!
//! There are no transactions, but `create or replace table … as select` puts a whole table in the place of another at
//! once or not at all. So whatever changes a table makes it anew, and a commit (`tracker::commit::alone`) replaces the
//! one row of the checkpoint, which also says which of two tables holds the tracked records.
//!
//! A server goes on with a statement that writes when nobody waits for it any more, and would put its table in
//! place after whoever came next. Statements therefore have names of their own that tell the mapping they work for, and
//! whoever begins to write for a mapping first ends what is left of others.

mod answer;
mod client;
mod connection;
mod dialect;
mod failure;
mod form;
mod reading;
mod running;
mod session;
mod settings;
mod types;
mod wishes;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::ClickHouseConnection;
pub(crate) use dialect::ClickHouseDialect;
pub(crate) use form::FORM;
use settings::ConnectionSettings;

use crate::{
    registry::Connected,
    setup::{Setup, is_plain},
    tracker::Tracker,
};

/// What an administrator runs.
pub(crate) const SETUP: Setup = Setup {
    template: include_str!("setup.sql"),
    name: |name| if is_plain(name) { name.to_owned() } else { dialect::quoted(name) },
    exact: dialect::quoted,
    text: dialect::literal,
};

/// A ClickHouse source; nothing is opened yet. Fails with `S115` if the settings do not fit, or name a file that
/// cannot be read.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = ConnectionSettings::read(settings, schema)?;
    Ok(Arc::new(Tracker::new(
        ClickHouseDialect,
        ClickHouseConnection::new(settings)?,
        schema,
        limits,
    )))
}
