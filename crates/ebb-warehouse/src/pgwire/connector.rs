//! Opening connections: encryption and log-in.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use ebb_core::{Code, Failure};
use ebb_tls::SslMode;
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

use super::{failure, link::Link, names::literal, settings::ConnectionSettings, sign_in::SignIn};

/// The major version of PostgreSQL that the server says it is, known once a connection was opened.
pub(crate) type Version = Arc<OnceLock<u32>>;

/// What connections share: how to reach the server, and the owner of the tasks that drive their sockets.
pub(crate) struct Connector {
    pub(crate) settings: Arc<ConnectionSettings>,
    /// What gives the logins, if the settings have no lasting password.
    sign_in: Option<Arc<dyn SignIn>>,
    pub(crate) version: Version,
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
    /// As whom it signed in.
    pub(super) settings: Arc<ConnectionSettings>,
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

impl Connector {
    /// A connector by these settings; nothing is opened yet.
    pub(crate) fn new(settings: ConnectionSettings, version: Version) -> Arc<Self> {
        Self::signing_in(settings, version, None)
    }

    /// A connector that signs in by logins of something else, if there is such a thing.
    pub(crate) fn signing_in(
        settings: ConnectionSettings,
        version: Version,
        sign_in: Option<Arc<dyn SignIn>>,
    ) -> Arc<Self> {
        let tasks = Mutex::new(JoinSet::new());
        Arc::new(Self { settings: Arc::new(settings), sign_in, version, tasks })
    }

    /// Opens a connection.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<Link, Failure> {
        Ok(Link::new(self.connect().await?, Arc::clone(self)))
    }

    /// Connects; a login that the server refuses is replaced once.
    async fn connect(&self) -> Result<Connected, Failure> {
        let Some(sign_in) = &self.sign_in else {
            return self.connect_by(&self.settings).await;
        };
        let login = sign_in.login().await?;
        match self.connect_by(&Arc::new(self.settings.signed_in(&login))).await {
            Err(failure) if failure.code == Code::SourceAuth => {
                tracing::debug!(%failure, "a new login is asked for");
                sign_in.forget(&login).await;
                let login = sign_in.login().await?;
                let connected = self.connect_by(&Arc::new(self.settings.signed_in(&login))).await;
                connected.map_err(|failure| {
                    if failure.code == Code::SourceAuth {
                        sign_in.refused(failure)
                    } else {
                        failure
                    }
                })
            }
            connected => connected,
        }
    }

    /// Connects as `sslmode` says, trying the second way where libpq would.
    async fn connect_by(&self, settings: &Arc<ConnectionSettings>) -> Result<Connected, Failure> {
        let attempts = if settings.is_socket() {
            &[Encryption::No][..]
        } else {
            match settings.sslmode {
                SslMode::Disable => &[Encryption::No][..],
                SslMode::Allow => &[Encryption::No, Encryption::Yes],
                SslMode::Prefer => &[Encryption::IfOffered, Encryption::No],
                SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Encryption::Yes],
            }
        };
        let mut refused = None;
        for encryption in attempts {
            match self.attempt(settings, *encryption).await? {
                Ok(connected) => return Ok(connected),
                Err(error) => {
                    // Another way helps only where the server or the certificate objects to this one.
                    let another = failure::tls_error(&error).is_some()
                        || error.code().is_some_and(|code| code.code() == "28000");
                    let failure = failure::connecting(error, settings);
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
        settings: &Arc<ConnectionSettings>,
        encryption: Encryption,
    ) -> Result<Result<Connected, tokio_postgres::Error>, Failure> {
        let config = config(settings, encryption);
        if encryption == Encryption::No {
            return Ok(self.drive(settings, &config, NoTls, None).await);
        }
        let own = settings.client_certificate.as_ref();
        let tls = ebb_tls::client_config(
            settings.sslmode,
            settings.sslrootcert.as_deref(),
            own.map(|(certificate, key)| (certificate.as_path(), key.as_path())),
        )?;
        Ok(self.drive(settings, &config, MakeRustlsConnect::new(tls.clone()), Some(tls)).await)
    }

    async fn drive<T>(
        &self,
        settings: &Arc<ConnectionSettings>,
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
        Ok(Connected { client, driver, cancel, settings: Arc::clone(settings) })
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
}

/// What the driver is told.
fn config(settings: &ConnectionSettings, encryption: Encryption) -> Config {
    let ConnectionSettings { host, port, database, password, connect_timeout, .. } = settings;
    let user = settings.login_name.as_ref().unwrap_or(&settings.user);
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
