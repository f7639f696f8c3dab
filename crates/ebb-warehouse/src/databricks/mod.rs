//! `databricks`: statements by the Statement Execution API, rows as Arrow from cloud storage.
//!
//! The interface knows no session, and a statement is all that is atomic. So whatever changes a table
//! makes it anew by `create or replace table … as select`, which Delta swaps in at once or not at all.
//! A commit (`tracker::commit::alone`) writes the next tracked records beside the current ones, which
//! stay as they are, and then replaces the one row of the checkpoint, which also says which of the two
//! tables counts: that statement is the commit. Killed before it, nothing has changed; killed after it,
//! all has.

mod answer;
mod client;
mod connection;
mod credentials;
mod dialect;
mod failure;
mod form;
mod running;
mod session;
mod settings;
mod types;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::DatabricksConnection;
pub(crate) use dialect::DatabricksDialect;
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

/// A Databricks source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = ConnectionSettings::read(settings, schema)?;
    Ok(Arc::new(Tracker::new(
        DatabricksDialect,
        DatabricksConnection::new(settings)?,
        schema,
        limits,
    )))
}
