//! PostgreSQL's wire protocol, for every server that speaks it: settings, encryption, connections,
//! what a session may be asked, and what errors mean.

mod connector;
mod failure;
mod link;
mod names;
mod settings;
mod sign_in;
mod value;

pub(crate) use ebb_tls::{SslMode, anonymous};

pub(crate) use connector::{Connector, Version};
pub(crate) use failure::lost;
pub(crate) use link::Link;
pub(crate) use names::{keeps_case, literal, quoted, within_limit};
pub(crate) use settings::{ConnectionSettings, Product};
pub(crate) use sign_in::{Login, SignIn};
pub(crate) use value::{BATCH_BYTES, BATCH_ROWS, Losses, tell_losses, widened};
