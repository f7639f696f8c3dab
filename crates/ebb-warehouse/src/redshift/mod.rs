//! `redshift`: the diff by folded FNV hashes, rows through a cursor or, if they are many, by way of S3.

mod connection;
mod dialect;
mod form;
mod iam;
mod rows;
mod session;
mod settings;
mod text;
mod types;
mod unload;

use std::sync::Arc;

use ebb_core::{Limits, config::Settings};

use connection::RedshiftConnection;
pub(crate) use dialect::RedshiftDialect;
pub(crate) use form::FORM;

use crate::{
    dialect::Dialect,
    pgwire::quoted,
    registry::Connected,
    setup::{Setup, is_plain},
    tracker::Tracker,
};

/// What an administrator runs.
pub(crate) const SETUP: Setup = Setup {
    template: include_str!("setup.sql"),
    name: |name| if is_plain(name) { name.to_owned() } else { quoted(name) },
    exact: quoted,
    text: |text| RedshiftDialect.literal(text),
};

/// A Redshift source; nothing is opened yet. Fails with `S115` if the settings do not fit.
pub(crate) fn source(settings: &Settings, schema: &str, limits: &Limits) -> Connected {
    let connection = RedshiftConnection::new(settings::read(settings, schema)?)?;
    Ok(Arc::new(Tracker::new(RedshiftDialect, connection, schema, limits)))
}
