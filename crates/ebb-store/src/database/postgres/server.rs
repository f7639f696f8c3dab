//! Opens connections to the server, and brings the control database to this version's schema.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ebb_core::{Code, Failure};
use ebb_tls::SslMode;
use tokio::runtime::{self, Handle, Runtime};
use tokio_postgres::{
    Client, Config, NoTls, Socket,
    config::SslMode as DriverMode,
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    connection::Connection, failure, locks::SessionLocks, schema, session::Session,
    url::DatabaseUrl,
};
use crate::database::{fault::Fault, migrations::MIGRATIONS};

/// The oldest server that has what the schema needs.
const OLDEST: u32 = 12;

/// What every session begins with, whatever server, database and user have set. Half of it lets the server
/// notice soon when this machine is gone, and with it the rights that it held.
const PREAMBLE: &str = "
    set standard_conforming_strings = on;
    set client_min_messages = warning;
    set lock_timeout = '15s';
    set statement_timeout = '5min';
    set idle_in_transaction_session_timeout = '30s';
    set tcp_keepalives_idle = 30;
    set tcp_keepalives_interval = 10;
    set tcp_keepalives_count = 3;
    select set_config('synchronous_commit', 'on', false)
    where current_setting('synchronous_commit') = 'off'";

/// A server, and the thread that drives the sockets to it.
#[derive(Debug)]
pub(in crate::database) struct Server {
    url: DatabaseUrl,
    /// Taken when the server is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    opened: AtomicU64,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // May be dropped where nothing may wait. By now no session is left.
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// A server by its URL; nothing is opened yet.
    pub(in crate::database) fn new(url: DatabaseUrl) -> std::io::Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("control-database-io")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self { url, runtime: Some(runtime), handle, opened: AtomicU64::new(1) })
    }

    /// Where it is.
    pub(in crate::database) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The number that stands for a name in the server's advisory locks; control databases in other schemas
    /// have others. The empty name is that of all who write.
    pub(in crate::database) fn key(&self, name: &str) -> i64 {
        xxh3_64(format!("ebb\0{}\0{name}", self.url.schema).as_bytes()).cast_signed()
    }

    /// The connection that writes, to a database that is made and migrated as needed. Waits on this thread,
    /// which may not be one of a runtime.
    pub(in crate::database) fn open_writer(
        self: &Arc<Self>,
        locks: Arc<SessionLocks>,
    ) -> Result<Connection, Fault> {
        // All who write have their turns.
        let begin = format!(
            "begin isolation level read committed read write; select pg_advisory_xact_lock({})",
            self.key("")
        );
        let mut connection = Connection::new(Arc::clone(self), begin, locks);
        connection.transaction(|transaction, session| {
            schema::migrate(transaction, session, MIGRATIONS, &self.url)
        })?;
        Ok(connection)
    }

    /// A connection that reads; all that a transaction reads is of one moment.
    pub(in crate::database) fn open_reader(self: &Arc<Self>) -> Connection {
        let begin = "begin isolation level repeatable read read only".to_owned();
        Connection::new(Arc::clone(self), begin, Arc::default())
    }

    /// Opens a session.
    pub(super) fn open(&self) -> Result<Session, Fault> {
        let client = self.handle.block_on(self.connect())?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let session = Session::new(client, self.handle.clone(), number);
        session.batch(&format!("set search_path = \"{}\";{PREAMBLE}", self.url.schema))?;
        Ok(session)
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let DatabaseUrl { config, sslmode, sslrootcert, own, .. } = &self.url;
        let mut config = config.clone();
        let mode = match sslmode {
            SslMode::Disable | SslMode::Allow => DriverMode::Disable,
            SslMode::Prefer => DriverMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => DriverMode::Require,
        };
        config.ssl_mode(mode);
        if mode == DriverMode::Disable {
            return self.drive(&config, NoTls).await;
        }
        let paths =
            own.as_ref().map(|(certificate, key): &(PathBuf, PathBuf)| (&**certificate, &**key));
        let tls = ebb_tls::client_config(*sslmode, sslrootcert.as_deref(), paths)
            .map_err(|refused| failure::of_encryption(&self.url, &refused))?;
        self.drive(&config, MakeRustlsConnect::new(tls)).await
    }

    async fn drive<T>(&self, config: &Config, tls: T) -> Result<Client, Failure>
    where
        T: MakeTlsConnect<Socket> + Send,
        T::TlsConnect: Send,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connected = config.connect(tls).await;
        let (client, connection) =
            connected.map_err(|error| failure::connecting(&self.url, error))?;
        let version = connection.parameter("server_version").unwrap_or_default();
        let major = version.split(|other: char| !other.is_ascii_digit()).next();
        let too_old = major.and_then(|major| major.parse().ok()).is_some_and(|it: u32| it < OLDEST);
        let encoding = connection.parameter("server_encoding").unwrap_or_default();
        let unfit = |what: String, help: &'static str| {
            Err(Failure::new(Code::StateUnavailable, format!("`{}` {what}", self.url)).help(help))
        };
        if too_old {
            let what = format!("is PostgreSQL {version}, the oldest that works is {OLDEST}");
            return unfit(what, "Upgrade the server");
        }
        if encoding != "UTF8" {
            let what = format!("keeps texts as `{encoding}`, which cannot hold every text");
            return unfit(what, "Make a database with `encoding 'UTF8'`");
        }
        // It ends with its client, and at the latest with this server's thread.
        self.handle.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of the control database ended");
            }
        });
        Ok(client)
    }
}
