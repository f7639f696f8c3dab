//! What a warehouse needs to be tested: an empty database, and a way to fill it that is not Ebb's.

mod azure;
mod bigquery;
mod clickhouse;
mod databricks;
#[cfg(feature = "duckdb")]
mod duckdb;
mod mysql;
mod postgres;
mod redshift;
mod snowflake;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::{Limits, config::MANAGED_SCHEMA, port::Warehouse};
use serde_json::Value;

pub(crate) use azure::{Azure, Synapse};
pub(crate) use bigquery::{BigQuery, BigQueryByStorage};
pub(crate) use clickhouse::ClickHouse;
pub(crate) use databricks::Databricks;
#[cfg(feature = "duckdb")]
pub(crate) use duckdb::DuckDb;
pub(crate) use mysql::Mysql;
pub(crate) use postgres::Postgres;
pub(crate) use redshift::{Redshift, RedshiftByFiles};
pub(crate) use snowflake::{Snowflake, SnowflakeBySession};
pub(crate) use sqlite::Sqlite;

/// An empty database of its own, dropped or left to the cluster when the test ends.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// Of the moments at which an operation may be killed, one in so many is tried.
    const CUTS_APART: usize = 3;

    /// The kind of source.
    fn kind(&self) -> &'static str;

    /// The source's settings.
    fn settings(&self) -> Value;

    /// Runs SQL by the engine's own client, any number of statements.
    async fn run(&self, sql: &str);

    /// Counts a table's rows by the engine's own client.
    async fn count(&self, table: &str) -> i64;

    /// A name as models quote it.
    fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A column's name that is as odd as the engine takes.
    fn odd_name(&self) -> &'static str {
        "Näme \"q\""
    }

    /// A query for the numbers from 1 in a column `id`.
    fn numbers(&self, last: u64) -> String {
        format!(
            "with recursive numbers (id) as (select 1 union all select id + 1 from numbers where id < {last}) \
             select id from numbers"
        )
    }

    /// A model of the shared scenarios, in the engine's own SQL.
    fn model(&self, sql: &str) -> String {
        sql.to_owned()
    }

    /// Connects Ebb.
    fn connect(&self) -> Arc<dyn Warehouse> {
        let Value::Object(settings) = self.settings() else { panic!("settings are an object") };
        let limits = Limits::default();
        ebb_warehouse::connect(self.kind(), &settings.into(), MANAGED_SCHEMA, &limits).unwrap()
    }
}
