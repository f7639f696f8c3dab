//! Where the server listens, and who encrypts the way to it.

use std::{net::SocketAddr, path::PathBuf};

use ebb_core::{Code, Failure, port::Clock};
use ebb_server::{Certificate, Way};
use ebb_workspace::SystemClock;
use tokio::net::TcpListener;

use crate::report::print_note;

/// Where the server listens.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Listening {
    /// The address to listen on; one beyond this machine takes `--tls-cert` or `--behind-tls`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Speak TLS with the certificate in this file (PEM), followed by those that lead to its authority.
    /// Renewed files are taken over while the server runs
    #[arg(
        long,
        value_name = "FILE",
        env = "EBB_TLS_CERT",
        requires = "tls_key",
        conflicts_with = "behind_tls"
    )]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM, without a passphrase)
    #[arg(long, value_name = "FILE", env = "EBB_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy in front of this server speaks TLS with browsers
    #[arg(long)]
    behind_tls: bool,
}

/// Who encrypts the way of browsers to the server.
pub(super) enum Front {
    /// Nobody: it does not leave this machine.
    Loopback,
    /// A proxy.
    Proxy,
    /// The server, with this certificate.
    Own(Certificate),
}

impl Front {
    pub(super) const fn way(&self) -> Way {
        match self {
            Self::Loopback => Way::Plain,
            Self::Proxy => Way::Proxy,
            Self::Own(_) => Way::Tls,
        }
    }

    /// What the address begins with that somebody beside the server types.
    pub(super) const fn scheme(&self) -> &'static str {
        match self {
            Self::Loopback | Self::Proxy => "http",
            Self::Own(_) => "https",
        }
    }
}

impl Listening {
    /// Who encrypts the way. Prints what is odd about a certificate.
    pub(super) fn front(&self) -> Result<Front, Failure> {
        let listen = self.listen;
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                let certificate = Certificate::open(certificate.clone(), key.clone())?;
                for warning in certificate.warnings(SystemClock.now()) {
                    print_note(&format!("warning: {warning}"));
                }
                Ok(Front::Own(certificate))
            }
            _ if self.behind_tls => Ok(Front::Proxy),
            _ if listen.ip().is_loopback() => Ok(Front::Loopback),
            _ => {
                let message = format!(
                    "`{listen}` is reached from other machines, and nothing encrypts the way"
                );
                Err(Failure::new(Code::ConfigValue, message).help(
                    "Give a certificate with `--tls-cert` and `--tls-key`, or put a proxy in front that speaks TLS \
                     and say `--behind-tls`, or listen on 127.0.0.1",
                ))
            }
        }
    }

    pub(super) async fn listen(&self) -> Result<TcpListener, Failure> {
        let address = self.listen;
        TcpListener::bind(address).await.map_err(|error| {
            Failure::new(Code::ConfigValue, format!("`{address}` cannot be listened on: {error}"))
                .help("Choose another address with `--listen`, such as `127.0.0.1:7071`")
        })
    }
}
