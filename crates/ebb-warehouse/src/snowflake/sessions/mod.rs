//! The protocol of sessions, which Snowflake's own drivers speak: a session signs in, its statements give
//! Arrow, and what is large of a result lies in cloud storage.
//!
//! Nothing documents it but the drivers' sources. A session serves one user at a time, because an open
//! transaction is the session's; one whose state is in doubt is signed off, which undoes what it had open.

mod account;
mod answer;
mod chunks;
mod request;
mod sign_in;
mod signed_in;

pub(super) use account::Account;
