//! Opening sessions: encryption, log-in, and everything that decides how values turn into text.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ebb_core::{Code, Failure};

use super::{session::PostgresSession, settings::PostgresSettings};
use crate::{
    connection::{Access, Connection, Session},
    pgwire::{ConnectionSettings, Connector, Version},
};

/// The oldest server whose functions the diff needs.
const OLDEST: u32 = 11;

/// Opens sessions at one server.
pub(crate) struct PostgresConnection {
    connector: Arc<Connector>,
    work_mem: Option<String>,
}

impl PostgresConnection {
    /// A connection by these settings; nothing is opened yet.
    pub(super) fn new(settings: PostgresSettings, version: Version) -> Self {
        let PostgresSettings { connection, work_mem } = settings;
        Self { connector: Connector::new(connection, version), work_mem }
    }

    /// Whether the server is too old, as a failure.
    fn check_version(&self) -> Result<(), Failure> {
        match self.connector.version.get() {
            Some(version) if *version < OLDEST => Err(Failure::new(
                Code::SourceSettings,
                format!("the server is PostgreSQL {version}, the oldest that works is {OLDEST}"),
            )
            .help("Upgrade the server")),
            Some(_) | None => Ok(()),
        }
    }
}

#[async_trait]
impl Connection for PostgresConnection {
    fn engine(&self) -> String {
        self.connector
            .version
            .get()
            .map_or_else(|| "postgres".to_owned(), |version| format!("postgres-{version}"))
    }

    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        let mut link = self.connector.open().await?;
        self.check_version()?;
        let work_mem = self.work_mem.as_deref();
        link.set(&session_settings(&self.connector.settings, work_mem, access)).await?;
        // A killed client is noticed while the server computes, where server and system can.
        link.try_set("set client_connection_check_interval = '10s'").await?;
        Ok(Box::new(PostgresSession(link)))
    }
}

/// A time-out as the server takes it, the longest that it takes for all that are longer.
fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// Memory of one sort or hash join of the diff, unless the source or the server gives more.
const WORK_MEM: &str = "256MB";

/// What the planner thinks it costs to hand a row from one process to another. Its default keeps a
/// diff, which hashes every row of the model, in one process; workers stay as many as the server allows.
const PARALLEL_TUPLE_COST: &str = "0.001";

/// The statements that give a session the same settings everywhere, whatever server, database and user
/// have set.
fn session_settings(
    settings: &ConnectionSettings,
    work_mem: Option<&str>,
    access: Access,
) -> String {
    let ConnectionSettings { statement_timeout, lock_timeout, .. } = *settings;
    let read_only = match access {
        Access::Read => "on",
        Access::Write => "off",
    };
    // A server that gives its sessions more than Ebb needs at least knows why.
    let work_mem = work_mem.map_or_else(
        || {
            format!(
                "select set_config('work_mem', '{WORK_MEM}', false) where \
                 pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('{WORK_MEM}')"
            )
        },
        |work_mem| format!("set work_mem = '{work_mem}'"),
    );
    format!(
        "set timezone = 'UTC';
        set datestyle = 'ISO, YMD';
        set intervalstyle = 'iso_8601';
        set extra_float_digits = 3;
        set bytea_output = 'hex';
        set xmloption = 'content';
        set standard_conforming_strings = on;
        set synchronize_seqscans = off;
        set parallel_tuple_cost = {PARALLEL_TUPLE_COST};
        set default_transaction_isolation = 'repeatable read';
        set default_transaction_read_only = {read_only};
        set idle_in_transaction_session_timeout = '10min';
        set lock_timeout = {};
        set statement_timeout = {};
        {work_mem}",
        milliseconds(lock_timeout),
        milliseconds(statement_timeout),
    )
}
