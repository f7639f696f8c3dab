//! Opening sessions: encryption, log-in, and everything that decides how values turn into text.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ebb_core::{Code, Failure};
use mysql_async::{ClientIdentity, Conn, Opts, OptsBuilder, SslOpts, prelude::Queryable};
use rustls::RootCertStore;
use tokio::{runtime::Handle, task::JoinSet, time::timeout};

use super::{
    failure,
    session::MysqlSession,
    settings::{ConnectionSettings, SslMode},
};
use crate::connection::{Access, Connection, Session};

/// Opens sessions at one server.
pub(crate) struct MysqlConnection(Arc<Connector>);

/// What sessions share: how to reach the server, and the owner of the tasks that read from it.
pub(super) struct Connector {
    pub(super) settings: ConnectionSettings,
    /// Whom the server takes the user for, such as `'ebb'@'%'`; known once a session was opened.
    account: OnceLock<String>,
    /// Streams and requests to end a session; they end by themselves when nobody reads any more, and
    /// at the latest with the connector.
    tasks: Mutex<JoinSet<()>>,
}

/// Which of the two servers answers; both began at the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Mysql,
    Mariadb,
}

impl MysqlConnection {
    /// A connection by these settings; nothing is opened yet.
    pub(super) fn new(settings: ConnectionSettings) -> Self {
        let (account, tasks) = (OnceLock::new(), Mutex::new(JoinSet::new()));
        Self(Arc::new(Connector { settings, account, tasks }))
    }
}

#[async_trait]
impl Connection for MysqlConnection {
    fn engine(&self) -> String {
        // Checksums are SHA-2 of the values' texts: no version of either server changes them.
        "mysql".to_owned()
    }

    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        let connector = &self.0;
        let conn = connector.connect().await?;
        let mut session = MysqlSession::new(conn, Arc::clone(connector));
        let told = session.rows("select version(), current_user()").await?;
        let mut told = told.into_iter().flatten().flatten();
        let family = family(&told.next().unwrap_or_default())?;
        if let Some((user, host)) = told.next().as_deref().and_then(|user| user.rsplit_once('@')) {
            connector.account.get_or_init(|| format!("'{user}'@'{host}'"));
        }
        for statement in session_settings(&connector.settings, access, family) {
            session.set(&statement).await?;
        }
        for statement in WISHES {
            session.try_set(statement).await?;
        }
        Ok(Box::new(session))
    }
}

impl Connector {
    /// Connects and logs in.
    pub(super) async fn connect(&self) -> Result<Conn, Failure> {
        let limit = self.settings.connect_timeout;
        let opening = Conn::new(self.options()?);
        let limit = if limit.is_zero() { Duration::MAX } else { limit };
        match timeout(limit, opening).await {
            Ok(Ok(conn)) => Ok(conn),
            Ok(Err(error)) => Err(failure::connecting(error, &self.settings)),
            Err(_) => Err(Failure::new(
                Code::SourceUnreachable,
                format!(
                    "cannot connect to `{}`: no answer within {} s",
                    self.settings.host,
                    limit.as_secs()
                ),
            )),
        }
    }

    /// Reads certificates from files, so that renewed ones count from the next connection on.
    fn options(&self) -> Result<Opts, Failure> {
        let ConnectionSettings { host, port, database, user, password, .. } = &self.settings;
        let options = OptsBuilder::default()
            .user(Some(user))
            .pass(password.as_ref().map(ebb_core::Secret::expose))
            .db_name(database.as_ref())
            .prefer_socket(false)
            .tcp_keepalive(Some(Duration::from_mins(1)))
            // Every statement is another one.
            .stmt_cache_size(0)
            .connect_attribute("program_name", "ebb");
        let options = if self.settings.is_socket() {
            options.socket(Some(host))
        } else {
            options.ip_or_hostname(host).tcp_port(*port).ssl_opts(encryption(&self.settings)?)
        };
        Ok(options.into())
    }

    /// Runs a task that the connector owns.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, runtime);
    }

    /// The failure of a statement.
    pub(super) fn failed(&self, error: mysql_async::Error) -> Failure {
        failure::running(error, &self.settings, self.account.get().map(String::as_str))
    }

    /// Ends a session of the same user by its number; what it ran is rolled back.
    pub(super) async fn kill(&self, session: u32) {
        let killed = async {
            let mut conn = self.connect().await?;
            let done = conn.query_drop(format!("kill {session}")).await;
            conn.disconnect().await.ok();
            done.map_err(|error| self.failed(error))
        };
        if let Err(failure) = killed.await {
            // Most often it had ended already.
            tracing::debug!(%failure, "a session could not be ended");
        }
    }
}

/// What is asked of encryption; `None` for none.
fn encryption(settings: &ConnectionSettings) -> Result<Option<SslOpts>, Failure> {
    let options = SslOpts::default().with_disable_built_in_roots(true);
    let options = match (settings.sslmode, &settings.sslrootcert) {
        (SslMode::Disable, _) => return Ok(None),
        (SslMode::Require, None) => {
            // No certificate is judged, but the driver wants something to judge by.
            options.with_disable_built_in_roots(false).with_danger_accept_invalid_certs(true)
        }
        // As with other sources: who names an authority wants it to be asked.
        (SslMode::Require | SslMode::VerifyCa, _) => {
            options.with_danger_skip_domain_validation(true)
        }
        (SslMode::VerifyFull, _) => options,
    };
    let roots = match &settings.sslrootcert {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| {
                let message = format!(
                    "the file of `sslrootcert`, `{}`, cannot be used: {error}",
                    path.display()
                );
                Failure::new(Code::SourceSettings, message).help("Give the path of a PEM file")
            })?;
            vec![pem]
        }
        None if settings.sslmode == SslMode::Require => Vec::new(),
        None => system_roots(),
    };
    let identity = settings.client_certificate.as_ref().map(|(certificate, key)| {
        ClientIdentity::new(certificate.clone().into(), key.clone().into())
    });
    let roots = roots.into_iter().map(Into::into).collect();
    Ok(Some(options.with_root_certs(roots).with_client_identity(identity)))
}

/// The authorities that the system trusts, those that can be understood.
fn system_roots() -> Vec<Vec<u8>> {
    let mut tried = RootCertStore::empty();
    rustls_native_certs::load_native_certs()
        .certs
        .into_iter()
        .filter(|certificate| tried.add(certificate.clone()).is_ok())
        .map(|certificate| certificate.to_vec())
        .collect()
}

/// The family of a server by its version's text, if it is new enough.
fn family(version: &str) -> Result<Family, Failure> {
    let mariadb = version.contains("MariaDB");
    // Before 11, MariaDB may tell itself as `5.5.5-10.6.1-MariaDB`.
    let number = version.strip_prefix("5.5.5-").filter(|_| mariadb).unwrap_or(version);
    let mut parts = number.split(|other: char| !other.is_ascii_digit());
    let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let found = (part(), part());
    let (family, name, oldest) = if mariadb {
        (Family::Mariadb, "MariaDB", (10, 6))
    } else {
        (Family::Mysql, "MySQL", (8, 0))
    };
    if found >= oldest {
        return Ok(family);
    }
    let (major, minor) = oldest;
    Err(Failure::new(
        Code::SourceSettings,
        format!("the server is {name} `{version}`, the oldest that works is {major}.{minor}"),
    )
    .help("Upgrade the server"))
}

/// What helps where the server knows it and the user may set it: rows of many long texts may be too long
/// on paper and fit in fact, and Ebb's small tables have no primary key.
const WISHES: [&str; 2] =
    ["set session innodb_strict_mode = off", "set session sql_require_primary_key = off"];

/// The statements that give a session the same settings everywhere, whatever server and user have set.
fn session_settings(settings: &ConnectionSettings, access: Access, family: Family) -> Vec<String> {
    let statement = settings.statement_timeout;
    // Nothing but a lock waits: the longest is a year.
    let lock = settings.lock_timeout.as_secs().clamp(1, 31_536_000);
    // Recursion ends by time alone: one server would leave the rest of the rows out without a word.
    let limit = match family {
        Family::Mariadb => format!(
            "max_statement_time = {}, max_recursive_iterations = 4294967295",
            statement.as_secs().min(31_536_000)
        ),
        Family::Mysql => format!(
            "max_execution_time = {}, cte_max_recursion_depth = 4294967295",
            u32::try_from(statement.as_millis()).unwrap_or(u32::MAX)
        ),
    };
    let transactions = match access {
        Access::Read => "set session transaction read only",
        // So that reading a model locks none of its rows against others.
        Access::Write => "set session transaction isolation level read committed, read write",
    };
    vec![
        "set names utf8mb4".to_owned(),
        format!(
            "set session time_zone = '+00:00', \
             sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, \
             wait_timeout = 600, net_write_timeout = 600, net_read_timeout = 600, \
             innodb_lock_wait_timeout = {lock}, lock_wait_timeout = {lock}, {limit}"
        ),
        transactions.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use ebb_core::Code;

    use super::{Family, family};

    #[test]
    fn servers_tell_their_family_and_age() {
        for (version, expected) in [
            ("8.0.36", Family::Mysql),
            ("8.4.2-commercial", Family::Mysql),
            ("10.11.14-MariaDB-0+deb12u2", Family::Mariadb),
            ("5.5.5-10.6.4-MariaDB", Family::Mariadb),
        ] {
            assert_eq!(family(version), Ok(expected), "{version}");
        }
        for version in ["5.7.44", "10.5.1-MariaDB", ""] {
            assert_eq!(family(version).unwrap_err().code, Code::SourceSettings, "{version}");
        }
    }
}
