//! What only a server can do to the control database.

mod connections;
mod failures;
mod proxy;
