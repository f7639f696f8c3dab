//! The control database on a PostgreSQL server, in a schema of its own.
//!
//! Every commit is durable when it is answered. One process at a time writes: its transactions hold an
//! advisory lock of the schema, so that each sees all that was committed before, as on `SQLite`. What was
//! in flight when a connection was lost answers with an error; the next transaction opens another one.

mod connection;
mod failure;
mod locks;
mod schema;
mod server;
mod session;
mod url;

pub(super) use connection::Connection;
pub(super) use failure::told;
pub(super) use locks::{SessionLock, SessionLocks};
pub(super) use server::Server;
pub(super) use session::Session;
pub use url::DatabaseUrl;
