//! Warehouses: each a dialect (pure SQL text) and a connection (I/O), tracked by one generic engine.
#![expect(dead_code, reason = "the warehouses that use it follow in the next commits")]

mod columns;
mod connection;
mod dialect;
mod layout;
mod query;
mod state;
mod statement;
mod tracker;
