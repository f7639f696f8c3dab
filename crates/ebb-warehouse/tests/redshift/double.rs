//! PostgreSQL made to look like Redshift.

use std::sync::Arc;

use ebb_core::{
    Limits,
    config::{MANAGED_SCHEMA, Settings},
};
use serde_json::{Map, Value};
use url::Url;

use super::{
    proxy::{self, Names, Statements},
    unloads::Unloads,
};
use crate::{
    aws::Aws,
    postgres::{Server, Source},
};

/// A database with Redshift's functions and types, behind a proxy that speaks as Redshift does.
///
/// What passes here is shown to be right in the SQL that both engines have, and to use no more of
/// PostgreSQL than the proxy lets through; `./test` also has every statement that came by read by
/// sqlglot's grammar of Redshift. What this cannot show: that the service itself takes each statement
/// (its planner refuses some that its grammar takes), what its hash functions make of types that the
/// manual has no example of, how it prints intervals, sketches and shapes, how distribution and sort
/// keys perform, cursors' limits, and what it does when two syncs write at once.
pub(crate) struct Double {
    pub(crate) server: Server,
    pub(crate) statements: Statements,
    url: Url,
}

impl Double {
    /// A database named after the test; `None` if there is no cluster to test on.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::with_names(test, Names::Folded).await
    }

    /// The same for a cluster with its own rule for quoted names.
    pub(crate) async fn with_names(test: &str, names: Names) -> Option<Self> {
        Self::with_bucket(test, names, None).await
    }

    /// The same for a cluster that can write to the buckets of a double of AWS, so many rows to a file
    /// and to each group in it.
    pub(crate) async fn with_bucket(
        test: &str,
        names: Names,
        bucket: Option<(&Aws, (usize, usize))>,
    ) -> Option<Self> {
        let server = Server::start(test).await?;
        server.run(include_str!("functions.sql")).await;
        let mut url = server.url.clone();
        let statements = Statements::new(test);
        let unloads =
            bucket.map(|(aws, rows)| Unloads { database: url.clone(), aws: aws.clone(), rows });
        let port = proxy::listen(url.port().unwrap(), names, &statements, unloads.as_ref()).await;
        url.set_port(Some(port)).unwrap();
        Some(Self { server, statements, url })
    }

    /// The superuser's settings.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("url".to_owned(), self.url.as_str().into());
        settings.insert("sslmode".to_owned(), "disable".into());
        settings
    }

    /// The settings of where the database is.
    pub(crate) fn settings_without_user(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("host".to_owned(), self.url.host_str().unwrap().into());
        settings.insert("port".to_owned(), self.url.port().into());
        settings.insert("database".to_owned(), self.server.database.as_str().into());
        settings.insert("sslmode".to_owned(), "disable".into());
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
        source(self.settings())
    }
}

/// A source of these settings.
pub(super) fn source(settings: Map<String, Value>) -> Source {
    let settings = Settings::from(settings);
    let limits = Limits::default();
    let source = ebb_warehouse::connect("redshift", &settings, MANAGED_SCHEMA, &limits).unwrap();
    Source(Arc::clone(&source))
}
