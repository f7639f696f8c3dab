//! Every warehouse against real engines: one suite of scenarios, one harness for each engine.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

mod aws;
mod azure;
mod bench;
mod bigquery;
mod clickhouse;
mod conformance;
mod control;
mod databricks;
mod engine;
mod guides;
mod mysql;
mod postgres;
mod redshift;
mod snowflake;
mod types;
