//! Warehouses: each a dialect (pure SQL text) and a connection (I/O), tracked by one generic engine.

mod arrow;
mod blocking;
mod certificate;
mod columns;
mod connection;
mod databricks;
mod dialect;
#[cfg(feature = "duckdb")]
mod duckdb;
mod file;
mod given;
mod http;
mod layout;
mod mysql;
mod pgwire;
mod postgres;
mod query;
mod redshift;
mod registry;
mod setup;
mod snowflake;
mod sqlite;
mod state;
mod statement;
mod tracker;

pub use registry::{connect, kinds, setup};
