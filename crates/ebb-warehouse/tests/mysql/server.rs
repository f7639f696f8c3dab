//! A database of its own for each test, and a managed one beside it.

use std::{path::PathBuf, sync::Arc};

use ebb_core::{
    Limits, SyncId,
    config::Settings,
    port::{DiffJob, ModelQuery, Warehouse},
};
use mysql_async::{Conn, OptsBuilder, SslOpts, prelude::Queryable};
use serde_json::{Map, Value, json};
use url::Url;

/// The model of a query whose identifier is `id`.
pub(crate) fn model(sql: &str) -> ModelQuery {
    ModelQuery { sql: sql.to_owned(), id: "id".to_owned(), ..ModelQuery::default() }
}

/// The job of the sync with this number.
pub(crate) async fn job(source: &dyn Warehouse, number: u64, sql: &str) -> DiffJob {
    let model = model(sql);
    DiffJob {
        sync: SyncId::from_parts(number, 1),
        mapping: "users-to-hook".to_owned(),
        source: "shop".to_owned(),
        model_name: "users".to_owned(),
        columns: source.columns(&model).await.unwrap(),
        model,
        generation: 0,
        keep_deleted_values: false,
        limit: 1_000_000,
        trust_deletes: false,
    }
}

/// A fresh database on the private server.
pub(crate) struct Server {
    url: Url,
    pub(crate) database: String,
    /// The managed database.
    pub(crate) managed: String,
}

impl Server {
    /// A database named after the test; `None` if there is no server to test on.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "how the test script names the server")]
        let mut url: Url = std::env::var("EBB_TEST_MYSQL_URL").ok()?.parse().unwrap();
        let database = format!("ebb_{test}");
        let managed = format!("{database}_managed");
        url.set_path(&database);
        let fresh = format!(
            "drop database if exists {database}; drop database if exists {managed}; \
             create database {database} character set utf8mb4"
        );
        let server = Self { url, database, managed };
        server.as_administrator(None, &fresh).await;
        Some(server)
    }

    async fn connect(&self, database: Option<&str>) -> Conn {
        let root = self.root();
        let options = OptsBuilder::default()
            .ip_or_hostname(self.url.host_str().unwrap())
            .tcp_port(self.url.port().unwrap())
            .user(Some(self.url.username()))
            .pass(self.url.password())
            .db_name(database)
            .prefer_socket(false)
            .setup(vec!["set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone = '+00:00'"])
            .ssl_opts(SslOpts::default().with_root_certs(vec![root.into()]));
        Conn::new(options).await.unwrap()
    }

    /// The file of the authority that signed the server's certificate.
    pub(crate) fn root(&self) -> PathBuf {
        let mut pairs = self.url.query_pairs();
        pairs.find(|(key, _)| key == "sslrootcert").unwrap().1.into_owned().into()
    }

    async fn as_administrator(&self, database: Option<&str>, sql: &str) {
        let mut conn = self.connect(database).await;
        conn.query_drop(sql).await.unwrap();
        conn.disconnect().await.unwrap();
    }

    /// Runs statements as the administrator.
    pub(crate) async fn run(&self, sql: &str) {
        self.as_administrator(Some(&self.database), sql).await;
    }

    /// The first value of a query, as the administrator sees it.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let mut conn = self.connect(Some(&self.database)).await;
        let value: Option<Option<String>> = conn.query_first(sql).await.unwrap();
        conn.disconnect().await.unwrap();
        value.flatten().unwrap_or_default()
    }

    /// A session that has run a statement and is idle until it is dropped.
    pub(crate) async fn holding(&self, sql: &str) -> Conn {
        let mut conn = self.connect(None).await;
        conn.query_drop(sql).await.unwrap();
        conn
    }

    /// A user with the password `secret` who may log in, made anew.
    pub(crate) async fn user(&self, user: &str, require: &str) {
        self.run(&format!(
            "drop user if exists {user}; create user {user} identified by 'secret' {require}"
        ))
        .await;
    }

    /// Ebb's sessions in this database, as a table.
    pub(crate) fn sessions(&self) -> String {
        format!(
            "(select id from information_schema.processlist \
             where db = '{}' and id <> connection_id()) sessions",
            self.database
        )
    }

    /// Waits until no session is left in this database.
    pub(crate) async fn until_idle(&self) {
        for _ in 0..200 {
            if self.value(&format!("select count(*) from {}", self.sessions())).await == "0" {
                return;
            }
            self.value("select sleep(0.05)").await;
        }
        panic!("a session is left");
    }

    /// The administrator's settings for this database.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let Value::Object(settings) = json!({ "url": self.url.as_str() }) else { unreachable!() };
        settings
    }

    /// The source with these settings.
    pub(crate) fn source(&self, settings: Map<String, Value>) -> Arc<dyn Warehouse> {
        let settings = Settings::from(settings);
        ebb_warehouse::connect("mysql", &settings, &self.managed, &Limits::default()).unwrap()
    }
}
