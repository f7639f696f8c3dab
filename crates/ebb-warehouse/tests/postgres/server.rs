//! A database of its own for each test.

use std::sync::Arc;

use arrow_array::RecordBatch;
use ebb_core::{
    Column, Failure, Limits, Operation, RecordSet, SyncId,
    config::{MANAGED_SCHEMA, Settings},
    port::{Commit, Diff, DiffJob, ModelQuery, Warehouse},
};
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use url::Url;

/// A fresh database on the private cluster.
pub(crate) struct Server {
    admin: Client,
    pub(crate) url: Url,
    pub(crate) database: String,
}

async fn connect(url: &Url) -> Client {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    drop(tokio::spawn(connection));
    client
}

impl Server {
    /// A database named after the test; `None` if there is no cluster to test on.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "how the test script names the cluster")]
        let mut url: Url = std::env::var("EBB_TEST_POSTGRES_URL").ok()?.parse().unwrap();
        let database = format!("ebb_{test}");
        let cluster = connect(&url).await;
        let fresh = format!("drop database if exists {database} with (force)");
        cluster.batch_execute(&fresh).await.unwrap();
        cluster.batch_execute(&format!("create database {database}")).await.unwrap();
        url.set_path(&database);
        Some(Self { admin: connect(&url).await, url, database })
    }

    /// Runs statements as the superuser.
    pub(crate) async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.unwrap();
    }

    /// The first value of a query, as the superuser sees it.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let answer = self.admin.simple_query(sql).await.unwrap();
        let row = answer.iter().find_map(|message| {
            if let SimpleQueryMessage::Row(row) = message { row.get(0) } else { None }
        });
        row.unwrap_or_default().to_owned()
    }

    /// Waits until a query gives `true`; the server does the waiting.
    pub(crate) async fn until(&self, condition: &str) {
        for _ in 0..200 {
            if self.value(&format!("select {condition}")).await == "t" {
                return;
            }
            self.value("select pg_sleep(0.05)").await;
        }
        panic!("{condition} did not become true");
    }

    /// A role with the password `secret-of-the-role` and no rights but to connect.
    pub(crate) async fn role(&self, role: &str) {
        let exists = format!("select 1 from pg_roles where rolname = '{role}'");
        if self.value(&exists).await.is_empty() {
            self.run(&format!("create role {role} login password 'secret-of-the-role'")).await;
        }
    }

    /// The superuser's settings for this database.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let Value::Object(settings) = json!({ "url": self.url.as_str() }) else { unreachable!() };
        settings
    }

    /// The settings of a role made by [`Server::role`].
    pub(crate) fn settings_of(&self, role: &str) -> Map<String, Value> {
        let mut settings = self.settings();
        settings.insert("user".to_owned(), role.into());
        settings.insert("password".to_owned(), "secret-of-the-role".into());
        settings
    }

    /// The source, as the superuser.
    pub(crate) fn source(&self) -> Source {
        Source::of(self.settings())
    }
}

/// A source, and the jobs of one mapping.
pub(crate) struct Source(pub(crate) Arc<dyn Warehouse>);

/// The model of a query whose identifier is `id`.
pub(crate) fn model(sql: &str) -> ModelQuery {
    ModelQuery { sql: sql.to_owned(), id: "id".to_owned(), ..ModelQuery::default() }
}

impl Source {
    /// A source of these settings.
    pub(crate) fn of(settings: Map<String, Value>) -> Self {
        let settings = Settings::from(settings);
        let limits = Limits::default();
        Self(ebb_warehouse::connect("postgres", &settings, MANAGED_SCHEMA, &limits).unwrap())
    }

    /// The job of the sync with this number.
    pub(crate) async fn job(&self, number: u64, sql: &str) -> Result<DiffJob, Failure> {
        let model = model(sql);
        Ok(DiffJob {
            sync: SyncId::from_parts(number, 1),
            mapping: "users-to-hook".to_owned(),
            source: "shop".to_owned(),
            model_name: "users".to_owned(),
            columns: self.0.columns(&model).await?,
            model,
            generation: 0,
            keep_deleted_values: false,
            limit: 1_000_000,
            trust_deletes: false,
        })
    }

    /// A whole sync in which every change is delivered: what the diff found and the changes.
    pub(crate) async fn sync(
        &self,
        number: u64,
        sql: &str,
    ) -> Result<(Diff, Vec<RecordBatch>), Failure> {
        let job = self.job(number, sql).await?;
        self.run(&job).await
    }

    /// A whole sync of a job in which every change is delivered.
    pub(crate) async fn run(&self, job: &DiffJob) -> Result<(Diff, Vec<RecordBatch>), Failure> {
        let diff = self.0.diff(job).await?;
        let changes = self.0.changes(job, &Operation::ALL, None).await?.try_collect().await?;
        self.0
            .commit(&Commit {
                job: job.clone(),
                seqs: roaring::RoaringTreemap::new(),
                inverted: false,
                subscribed: Operation::ALL.to_vec(),
            })
            .await?;
        self.0.finish(job).await?;
        Ok((diff, changes))
    }
}

/// Every record of some batches as `operation id properties`.
pub(crate) fn records(batches: &[RecordBatch]) -> Vec<String> {
    let mut told = Vec::new();
    for batch in batches {
        let set = RecordSet::new(batch, "m".into(), "2024-01-01T00:00:00Z".into()).unwrap();
        told.extend(set.iter().map(|record| {
            let properties = serde_json::to_string(&record.properties()).unwrap();
            format!("{} {} {properties}", record.operation(), record.record_id())
        }));
    }
    told.sort();
    told
}

/// Columns as `name native kind`.
pub(crate) fn described(columns: &[Column]) -> String {
    columns
        .iter()
        .map(|Column { name, kind, native }| format!("{name} | {native} | {kind}"))
        .collect::<Vec<_>>()
        .join("\n")
}
