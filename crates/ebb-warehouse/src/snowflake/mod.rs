//! `snowflake`: statements by the SQL API or by the protocol of sessions that the drivers speak, rows from
//! a result's pieces.
//!
//! Both protocols are a `Runner`: a statement runs, and its result comes in pieces. What they share lies
//! beside them: settings, credentials, failures, types and SQL, so that values and checksums are the same.
//!
//! The SQL API knows no session: a request stands for itself, and with it temporary tables, `use` and
//! transactions over several requests are out; and a statement that makes a table commits whatever is
//! open, in a session too. So the commit comes in three steps (`tracker::commit::gathered`). What makes
//! tables goes first, each in one atomic statement after which the tracked state still says the same:
//! the tracked records get the shape of today's model by `create or replace … as select` from
//! themselves, their shape told by the table's own comment because the checkpoint's row would be a step
//! behind; and seqs go into a transient table named after the sync, which is dropped with the sync's
//! changes. What reads comes next. The rest deletes and inserts rows in two tables and is sent as one
//! request of several statements from `begin` to `commit`: all of it or nothing.

mod answer;
mod connection;
mod credentials;
mod decode;
mod dialect;
mod failure;
mod form;
mod logical;
mod oauth;
mod rows;
mod runner;
mod session;
mod sessions;
mod settings;
mod sign_in;
mod sql_api;
mod types;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::SnowflakeConnection;
pub(crate) use dialect::SnowflakeDialect;
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

/// A Snowflake source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let settings = ConnectionSettings::read(settings, schema)?;
    Ok(Arc::new(Tracker::new(
        SnowflakeDialect,
        SnowflakeConnection::new(settings)?,
        schema,
        limits,
    )))
}
