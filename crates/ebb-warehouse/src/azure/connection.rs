//! Opening sessions: the way there, the log-in, and everything that decides how values turn into text.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ebb_core::{Code, Failure};
use socket2::{SockRef, TcpKeepalive};
use tiberius::{Client, Config, EncryptionLevel, error::Error};
use tokio::{
    net::TcpStream,
    runtime::Handle,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::{
    credentials::Credentials,
    dialect::Product,
    failure,
    session::AzureSession,
    settings::ConnectionSettings,
    tunnel::{self, Tunnel},
};
use crate::{
    connection::{Access, Connection, Session},
    pgwire::{SslMode, anonymous},
};

/// A logged-in driver.
pub(super) type Driver = Client<Compat<Tunnel>>;

/// How long a database is waited for that is paused, being moved, or has no room just now.
const RESUME: Duration = Duration::from_mins(3);
/// The wait after the first refusal of that kind, and the longest; it doubles from one to the next.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// After so long a silence the other side is asked whether it is there, and as often again.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// So often may a server send a client on to another.
const HOPS: u32 = 4;

/// Opens sessions at one database.
pub(crate) struct AzureConnection(Arc<Connector>);

/// What sessions share: how to reach the database, and the owner of the tasks that read from it.
pub(super) struct Connector {
    pub(super) settings: ConnectionSettings,
    credentials: Credentials,
    product: Arc<OnceLock<Product>>,
    /// The database's own name for the user; known once a session was opened.
    user: OnceLock<String>,
    /// Streams; they end by themselves when nobody reads any more, and at the latest with the connector.
    tasks: Mutex<JoinSet<()>>,
}

impl AzureConnection {
    /// A connection by these settings; nothing is opened yet. `product` is told when a session opens.
    pub(super) fn new(
        settings: ConnectionSettings,
        product: Arc<OnceLock<Product>>,
    ) -> Result<Self, Failure> {
        let credentials = Credentials::new(settings.sign_in.clone())?;
        let (user, tasks) = (OnceLock::new(), Mutex::default());
        Ok(Self(Arc::new(Connector { settings, credentials, product, user, tasks })))
    }
}

#[async_trait]
impl Connection for AzureConnection {
    fn engine(&self) -> String {
        // Checksums are SHA-256 of the values' texts: no version changes them.
        "tsql".to_owned()
    }

    async fn open(&self, _access: Access) -> Result<Box<dyn Session>, Failure> {
        let connector = &self.0;
        let driver = Box::pin(connector.connect()).await?;
        let mut session = AzureSession::new(driver, Arc::clone(connector));
        let told = session
            .rows("select cast(serverproperty('EngineEdition') as nvarchar(9)), user_name()")
            .await?;
        let mut told = told.into_iter().flatten().flatten();
        let product = match told.next().as_deref() {
            Some("6") => Product::Synapse,
            Some("11") => return Err(failure::serverless()),
            Some(_) | None => Product::SqlServer,
        };
        let product = *connector.product.get_or_init(|| product);
        if let Some(user) = told.next() {
            connector.user.get_or_init(|| user);
        }
        session.set(&session_settings(product, &connector.settings)).await?;
        Ok(Box::new(session))
    }
}

/// Why there is no connection yet.
enum Refused {
    /// The server says no, or sends on.
    Driver(Error),
    Other(Failure),
}

impl Connector {
    /// Connects and logs in, wherever the server sends us; waits for a database that is about to come.
    async fn connect(&self) -> Result<Driver, Failure> {
        let mut place = (self.settings.hostname.clone(), self.settings.port);
        let last = Instant::now() + RESUME;
        let (mut wait, longest) = WAIT;
        let (mut hops, mut renewed) = (0, false);
        loop {
            let (host, port) = &place;
            let limit = self.settings.connect_timeout;
            let limit = if limit.is_zero() { Duration::MAX } else { limit };
            let refused = match timeout(limit, self.attempt(host, *port)).await {
                Ok(Ok(driver)) => return Ok(driver),
                Ok(Err(Refused::Driver(error))) => error,
                Ok(Err(Refused::Other(failure))) => return Err(failure),
                Err(_) => return Err(failure::no_answer(host, limit)),
            };
            if let Error::Routing { host, port } = &refused
                && hops < HOPS
            {
                hops += 1;
                place = (host.clone(), *port);
            } else if failure::is_sign_in(&refused) && !renewed && self.credentials.renew() {
                renewed = true;
            } else if failure::may_pass(&refused) && Instant::now() + wait < last {
                tracing::info!(error = %refused, ?wait, "the database is not ready yet");
                sleep(wait).await;
                wait = (wait * 2).min(longest);
            } else {
                return Err(failure::connecting(refused, &self.settings));
            }
        }
    }

    async fn attempt(&self, host: &str, port: u16) -> Result<Driver, Refused> {
        let settings = &self.settings;
        // Read at each connection, so that a renewed file counts.
        let encryption = match settings.sslmode {
            SslMode::Disable => None,
            SslMode::Allow
            | SslMode::Prefer
            | SslMode::Require
            | SslMode::VerifyCa
            | SslMode::VerifyFull => Some(
                anonymous(settings.sslmode, settings.sslrootcert.as_deref())
                    .map_err(Refused::Other)?,
            ),
        };
        let method = self.credentials.method().await.map_err(Refused::Other)?;
        let tcp = TcpStream::connect((host, port)).await.map_err(|error| {
            let message = format!("cannot connect to `{host}:{port}`: {error}");
            Refused::Other(Failure::new(Code::SourceUnreachable, message).caused_by(error))
        })?;
        tcp.set_nodelay(true).map_err(|error| Refused::Driver(error.into()))?;
        // Azure forgets connections on which nothing was said for some minutes, such as of a long diff.
        SockRef::from(&tcp)
            .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))
            .map_err(|error| Refused::Driver(error.into()))?;
        let has_token = self.credentials.is_token();
        let tunnel = tunnel::negotiate(tcp, host, encryption, has_token).await;
        let tunnel = tunnel.map_err(Refused::Other)?;
        let mut config = Config::new();
        config.host(host);
        config.port(port);
        config.database(&settings.database);
        config.application_name("ebb");
        config.authentication(method);
        // The tunnel has seen to it.
        config.encryption(EncryptionLevel::NotSupported);
        config.packet_size(16_384);
        // The driver's own patience ends after half a minute; how long a statement may take is the source's
        // setting, and how long to connect is seen to outside.
        config.command_timeout(None);
        config.handshake_timeout(None);
        config.lossy_utf16_decoding(true);
        Client::connect(config, tunnel.compat_write()).await.map_err(Refused::Driver)
    }

    /// What answers.
    pub(super) fn product(&self) -> Product {
        self.product.get().copied().unwrap_or(Product::SqlServer)
    }

    /// The failure of a statement.
    pub(super) fn failed(&self, error: Error) -> Failure {
        let user = self.user.get().map(String::as_str).or_else(|| self.settings.user());
        failure::running(error, &self.settings, user)
    }

    /// Runs a task that the connector owns.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &Handle::current());
    }
}

/// The statements that give a session the same settings everywhere, whatever server and login have set.
fn session_settings(product: Product, settings: &ConnectionSettings) -> String {
    let fixed = "set language us_english; set dateformat ymd; set datefirst 7";
    if product == Product::Synapse {
        return fixed.to_owned();
    }
    // Zero would be no wait at all.
    let lock = i32::try_from(settings.lock_timeout.as_millis()).unwrap_or(i32::MAX).max(1);
    format!(
        "{fixed}; set ansi_nulls, ansi_padding, ansi_warnings, arithabort, concat_null_yields_null, \
         quoted_identifier, xact_abort on; set numeric_roundabort, implicit_transactions, nocount off; \
         set transaction isolation level read committed; set textsize 2147483647; set rowcount 0; \
         set lock_timeout {lock}"
    )
}
