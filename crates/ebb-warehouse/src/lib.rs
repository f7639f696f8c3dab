//! Warehouses: each a dialect (pure SQL text) and a connection (I/O), tracked by one generic engine.

mod arrow;
mod aws;
mod azure;
mod bigquery;
mod blocking;
mod clickhouse;
mod columns;
mod connection;
mod databricks;
mod dialect;
#[cfg(feature = "duckdb")]
mod duckdb;
#[cfg(not(feature = "duckdb"))]
#[path = "duckdb/missing.rs"]
mod duckdb;
mod file;
mod form;
mod given;
mod http;
mod layout;
mod mysql;
mod named;
mod pgwire;
mod postgres;
mod query;
mod redshift;
mod registry;
mod reserved;
mod setup;
mod snowflake;
mod sqlite;
mod state;
mod statement;
mod text_rows;
mod tracker;

pub use form::{Form, Part, Setting, SettingKind};
pub use registry::{connect, form, forms, kinds, setup};
