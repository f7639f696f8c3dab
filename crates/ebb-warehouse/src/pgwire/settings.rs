//! Where a server is and who connects: settings of a project file, or a URL.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use ebb_core::{Failure, Secret};
use ebb_tls::SslMode;

use super::sign_in::Login;
use crate::given::Given;

/// What differs between the products that speak the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// How strict a connection to a server on this machine is about encryption where nothing is said, if not
    /// as the form tells.
    pub(crate) sslmode_here: Option<SslMode>,
    /// Where an administrator says who may connect from where.
    pub(crate) admission: &'static str,
}

/// Where and as whom to connect, and how long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectionSettings {
    pub(crate) product: &'static Product,
    /// A name, an address, or the folder of a Unix socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    /// The name to sign in by, where it is another than the user's.
    pub(crate) login_name: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) sslmode: SslMode,
    /// Where trusted authorities come from; the system's if absent.
    pub(crate) sslrootcert: Option<PathBuf>,
    /// The client's certificate and its key.
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    /// The longest wait for a locked table, at servers that have such a limit.
    pub(crate) lock_timeout: Duration,
    /// Where Ebb's tables lie, for the advice of failures.
    pub(crate) managed_schema: String,
}

impl ConnectionSettings {
    /// The settings that every product has. Fails with `S115` for what is missing or wrong.
    pub(crate) fn of(
        product: &'static Product,
        given: &Given,
        managed_schema: &str,
    ) -> Result<Self, Failure> {
        Self::of_user(product, given, given.required("user")?, managed_schema)
    }

    /// The same for a user that is known otherwise, or not yet.
    pub(crate) fn of_user(
        product: &'static Product,
        given: &Given,
        user: String,
        managed_schema: &str,
    ) -> Result<Self, Failure> {
        let host = given.required("host")?;
        let sslmode = match product.sslmode_here {
            Some(sslmode) if is_here(&host) && given.text("sslmode").is_none() => sslmode,
            Some(_) | None => given.choice("sslmode", &SslMode::ALL, SslMode::as_str)?,
        };
        Ok(Self {
            product,
            host,
            port: given.port()?,
            database: given.get("database").unwrap_or(&user).to_owned(),
            user,
            login_name: None,
            password: given.get("password").map(Secret::new),
            sslmode,
            sslrootcert: given.path("sslrootcert"),
            client_certificate: given.client_certificate()?,
            connect_timeout: given.duration("connect_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
            lock_timeout: given.duration("lock_timeout")?,
            managed_schema: managed_schema.to_owned(),
        })
    }

    /// The same for who signs in by a login.
    pub(super) fn signed_in(&self, login: &Login) -> Self {
        let Login { user, name, password } = login.clone();
        Self { user, login_name: Some(name), password: Some(password), ..self.clone() }
    }

    /// Whether the host is the folder of a Unix socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// Whether a host is this machine: what is sent there crosses no network.
fn is_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}
