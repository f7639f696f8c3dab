//! Redshift's double: a database of its own on the private PostgreSQL cluster, seen through
//! [`Double`], whose documentation tells what this does not prove.

use async_trait::async_trait;
use serde_json::Value;

use super::Engine;
use crate::{
    aws::Aws,
    control::unique,
    redshift::{Double, Names},
};

pub(crate) struct Redshift(Double);

/// A name for a database of its own.
fn name() -> String {
    format!("redshift_{}", unique())
}

impl Redshift {
    pub(crate) async fn start() -> Option<Self> {
        // The scenarios name columns with capitals, too.
        Some(Self(Double::with_names(&name(), Names::Kept).await?))
    }
}

#[async_trait]
impl Engine for Redshift {
    fn kind(&self) -> &'static str {
        "redshift"
    }

    fn settings(&self) -> Value {
        self.0.settings().into()
    }

    async fn run(&self, sql: &str) {
        self.0.server.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        self.0.server.value(&format!("select count(*) from {table}")).await.parse().unwrap()
    }
}

/// The same with a bucket, through which all changes go, however few.
pub(crate) struct RedshiftByFiles {
    double: Double,
    aws: Aws,
}

impl RedshiftByFiles {
    pub(crate) async fn start() -> Option<Self> {
        let aws = Aws::start().await;
        let bucket = Some((&aws, (1000, 300)));
        let double = Double::with_bucket(&name(), Names::Kept, bucket).await?;
        Some(Self { double, aws })
    }
}

#[async_trait]
impl Engine for RedshiftByFiles {
    fn kind(&self) -> &'static str {
        "redshift"
    }

    fn settings(&self) -> Value {
        let mut settings = self.double.settings();
        settings.extend(self.aws.settings());
        settings.insert("unload".to_owned(), "s3://shop-files".into());
        settings.insert("unload_rows".to_owned(), 0.into());
        settings.into()
    }

    async fn run(&self, sql: &str) {
        self.double.server.run(sql).await;
    }

    async fn count(&self, table: &str) -> i64 {
        let count = format!("select count(*) from {table}");
        self.double.server.value(&count).await.parse().unwrap()
    }
}
