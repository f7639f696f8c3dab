//! Opening sessions: encryption, log-in, and everything that decides how values turn into text.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ebb_core::{Code, Failure};
use rustls::ClientConfig;
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};
use tokio_postgres::{
    CancelToken, Client, Config, NoTls, SimpleQueryMessage, Socket,
    config::SslMode as DriverMode,
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    dialect::literal,
    failure,
    session::PostgresSession,
    settings::ConnectionSettings,
    tls::{self, SslMode},
};
use crate::connection::{Access, Connection, Session};

/// The oldest server whose functions the diff needs.
const OLDEST: u32 = 11;

/// The server's major version, known once a session was opened.
pub(super) type Version = Arc<OnceLock<u32>>;

/// Opens sessions at one server.
pub(crate) struct PostgresConnection(Arc<Connector>);

/// What sessions share: how to reach the server, and the owner of the tasks that drive their sockets.
pub(super) struct Connector {
    pub(super) settings: ConnectionSettings,
    version: Version,
    /// Sockets' drivers and cancel requests; they end by themselves when their session does, and at
    /// the latest with the connector.
    tasks: Mutex<JoinSet<()>>,
}

/// Whether one attempt to connect is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    No,
    /// If the server can.
    IfOffered,
    Yes,
}

/// A connected client and what ends it.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) driver: AbortHandle,
    pub(super) cancel: Cancel,
}

/// Cancels what a session runs.
#[derive(Clone)]
pub(super) struct Cancel {
    token: CancelToken,
    tls: Option<ClientConfig>,
}

impl Cancel {
    /// Asks the server to stop; what becomes of it shows at the session's socket.
    pub(super) async fn send(self) {
        let sent = match self.tls {
            Some(config) => self.token.cancel_query(MakeRustlsConnect::new(config)).await,
            None => self.token.cancel_query(NoTls).await,
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a cancel request could not be sent");
        }
    }
}

impl PostgresConnection {
    /// A connection by these settings; nothing is opened yet.
    pub(super) fn new(settings: ConnectionSettings, version: Version) -> Self {
        let tasks = Mutex::new(JoinSet::new());
        Self(Arc::new(Connector { settings, version, tasks }))
    }
}

#[async_trait]
impl Connection for PostgresConnection {
    fn engine(&self) -> String {
        self.0
            .version
            .get()
            .map_or_else(|| "postgres".to_owned(), |version| format!("postgres-{version}"))
    }

    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        let connected = self.0.connect().await?;
        self.0.check_version()?;
        let mut session = PostgresSession::new(connected, Arc::clone(&self.0));
        session.set(&session_settings(&self.0.settings, access)).await?;
        // A killed client is noticed while the server computes, where server and system can.
        session.try_set("set client_connection_check_interval = '10s'").await?;
        Ok(Box::new(session))
    }
}

impl Connector {
    /// Connects as `sslmode` says, trying the second way where libpq would.
    pub(super) async fn connect(&self) -> Result<Connected, Failure> {
        let attempts = if self.settings.is_socket() {
            &[Encryption::No][..]
        } else {
            match self.settings.sslmode {
                SslMode::Disable => &[Encryption::No][..],
                SslMode::Allow => &[Encryption::No, Encryption::Yes],
                SslMode::Prefer => &[Encryption::IfOffered, Encryption::No],
                SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Encryption::Yes],
            }
        };
        let mut refused = None;
        for encryption in attempts {
            match self.attempt(*encryption).await? {
                Ok(connected) => return Ok(connected),
                Err(error) => {
                    // Another way helps only where the server or the certificate objects to this one.
                    let another = failure::tls_error(&error).is_some()
                        || error.code().is_some_and(|code| code.code() == "28000");
                    let failure = failure::connecting(error, &self.settings);
                    if !another {
                        return Err(failure);
                    }
                    // What the mode wanted first explains most.
                    refused.get_or_insert(failure);
                }
            }
        }
        Err(refused.unwrap_or_else(|| {
            Failure::new(Code::SourceUnreachable, "there is no way to connect to the source")
        }))
    }

    async fn attempt(
        &self,
        encryption: Encryption,
    ) -> Result<Result<Connected, tokio_postgres::Error>, Failure> {
        let config = self.config(encryption);
        if encryption == Encryption::No {
            return Ok(self.drive(&config, NoTls, None).await);
        }
        let tls = tls::client_config(&self.settings)?;
        Ok(self.drive(&config, MakeRustlsConnect::new(tls.clone()), Some(tls)).await)
    }

    async fn drive<T>(
        &self,
        config: &Config,
        tls: T,
        client_config: Option<ClientConfig>,
    ) -> Result<Connected, tokio_postgres::Error>
    where
        T: MakeTlsConnect<Socket> + Send,
        T::TlsConnect: Send,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, connection) = config.connect(tls).await?;
        let version = connection.parameter("server_version").and_then(|version| {
            version.split(|other: char| !other.is_ascii_digit()).next()?.parse().ok()
        });
        if let Some(version) = version {
            self.version.get_or_init(|| version);
        }
        let driver = async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a session ended with an error");
            }
        };
        let driver = self.spawn(driver, &Handle::current());
        let cancel = Cancel { token: client.cancel_token(), tls: client_config };
        Ok(Connected { client, driver, cancel })
    }

    fn config(&self, encryption: Encryption) -> Config {
        let ConnectionSettings { host, port, database, user, password, connect_timeout, .. } =
            &self.settings;
        let mut config = Config::new();
        config
            .host(host)
            .port(*port)
            .dbname(database)
            .user(user)
            .application_name("ebb")
            .connect_timeout(*connect_timeout)
            .keepalives_idle(Duration::from_mins(1))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .ssl_mode(match encryption {
                Encryption::No => DriverMode::Disable,
                Encryption::IfOffered => DriverMode::Prefer,
                Encryption::Yes => DriverMode::Require,
            });
        if let Some(password) = password {
            config.password(password.expose());
        }
        config
    }

    /// Runs a task that the connector owns.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
        runtime: &Handle,
    ) -> AbortHandle {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, runtime)
    }

    /// The schema of a relation that the user may not read, if there is just one of the name.
    pub(super) async fn schema_of(&self, relation: &str) -> Option<String> {
        let Connected { client, .. } = self.connect().await.ok()?;
        let query = format!(
            "select n.nspname from pg_catalog.pg_class c \
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where c.relname = {} and c.relkind in ('r', 'v', 'm', 'f', 'p') \
             and not pg_catalog.has_table_privilege(c.oid, 'select')",
            literal(relation)
        );
        let answer = client.simple_query(&query).await.ok()?;
        let mut schemas = answer.iter().filter_map(|message| {
            if let SimpleQueryMessage::Row(row) = message { row.get(0) } else { None }
        });
        let schema = schemas.next()?.to_owned();
        schemas.next().is_none().then_some(schema)
    }

    /// Whether the server is too old, as a failure.
    pub(super) fn check_version(&self) -> Result<(), Failure> {
        match self.version.get() {
            Some(version) if *version < OLDEST => Err(Failure::new(
                Code::SourceSettings,
                format!("the server is PostgreSQL {version}, the oldest that works is {OLDEST}"),
            )
            .help("Upgrade the server")),
            Some(_) | None => Ok(()),
        }
    }
}

/// A time-out as the server takes it, the longest that it takes for all that are longer.
fn milliseconds(timeout: &Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// Memory of one sort or hash join of the diff, unless the source or the server gives more.
const WORK_MEM: &str = "256MB";

/// What the planner thinks it costs to hand a row from one process to another. Its default keeps a
/// diff, which hashes every row of the model, in one process; workers stay as many as the server allows.
const PARALLEL_TUPLE_COST: &str = "0.001";

/// The statements that give a session the same settings everywhere, whatever server, database and user
/// have set.
fn session_settings(settings: &ConnectionSettings, access: Access) -> String {
    let ConnectionSettings { statement_timeout, lock_timeout, work_mem, .. } = settings;
    let read_only = match access {
        Access::Read => "on",
        Access::Write => "off",
    };
    // A server that gives its sessions more than Ebb needs at least knows why.
    let work_mem = work_mem.as_ref().map_or_else(
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
