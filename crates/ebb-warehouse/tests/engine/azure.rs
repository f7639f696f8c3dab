//! Azure SQL and a dedicated pool of Synapse: a database of its own on the test double that
//! `EBB_TEST_AZURE_URL` names.
//!
//! The double is DuckDB behind TDS. It proves the protocol, the order of statements, that each text is
//! T-SQL to Microsoft's own parser, that transactions hold, and that no two texts are one because the
//! database ignores case. It cannot prove that the server gives each type and each function the meaning
//! that the double gives it.

use async_trait::async_trait;
use serde_json::Value;

use super::Engine;
use crate::azure::Double;

/// Azure SQL, as SQL Server.
pub(crate) struct Azure(Double);

/// A dedicated pool of Synapse.
pub(crate) struct Synapse(Double);

impl Azure {
    pub(crate) async fn start() -> Option<Self> {
        Some(Self(Double::start("sqlserver").await?))
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

impl Synapse {
    pub(crate) async fn start() -> Option<Self> {
        Some(Self(Double::start("synapse").await?))
    }

    pub(crate) fn double(&self) -> &Double {
        &self.0
    }
}

/// The shared scenarios' tables in T-SQL, whose `timestamp` says nothing of time.
fn tables(sql: &str) -> String {
    sql.replace(" timestamp)", " datetime2)")
}

/// The shared scenarios' models in T-SQL, which has no `limit`.
fn model(sql: &str) -> String {
    if let Some((query, rows)) = sql.rsplit_once(" limit ") {
        return query.replacen("select ", &format!("select top {rows} "), 1);
    }
    sql.to_owned()
}

macro_rules! engine {
    ($name:ident) => {
        #[async_trait]
        impl Engine for $name {
            const CUTS_APART: usize = 5;

            fn kind(&self) -> &'static str {
                "azure"
            }

            fn settings(&self) -> Value {
                self.0.settings()
            }

            async fn run(&self, sql: &str) {
                self.0.run(&tables(sql)).await;
            }

            async fn count(&self, table: &str) -> i64 {
                self.0.value(&format!("select count(*) from {table}")).await.parse().unwrap()
            }

            fn model(&self, sql: &str) -> String {
                model(sql)
            }

            /// Up to 100,000: recursion goes a hundred steps deep.
            fn numbers(&self, last: u64) -> String {
                let digits =
                    "(values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))";
                format!(
                    "select id from (select 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d as id \
                     from {digits} a (d) cross join {digits} b (d) cross join {digits} c (d) \
                     cross join {digits} d (d) cross join {digits} e (d)) n where id <= {last}"
                )
            }
        }
    };
}

engine!(Azure);
engine!(Synapse);
