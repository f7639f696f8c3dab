//! The HTTP client: whom it trusts, how long it waits, where it follows.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use ebb_core::{Code, Failure};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::Url;

use super::{failure::out_of_reach, reach::Reach};

/// What is particular to the network that Ebb runs in.
#[derive(Debug, Clone)]
pub struct Network {
    /// A PEM file with authorities to trust beside the system's.
    pub extra_authorities: Option<PathBuf>,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest wait for a whole answer.
    pub timeout: Duration,
    /// Which addresses requests may go to. A proxy that the environment names is the operator's: it
    /// judges by its own rules.
    pub reach: Reach,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            extra_authorities: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(1),
            reach: Reach::default(),
        }
    }
}

/// The most redirects that are followed.
const REDIRECTS: usize = 5;

/// Makes requests that go only where they may.
#[derive(Debug, Clone)]
pub struct Outlet {
    client: Client,
    reach: Reach,
}

impl Outlet {
    /// An outlet that keeps up to `concurrency` connections open to each host.
    pub fn new(network: &Network, concurrency: usize) -> Result<Self, Failure> {
        Ok(Self { client: client(network, concurrency)?, reach: network.reach.clone() })
    }

    /// A request to be completed and sent. `D211` if it may not go there; a host that is a name is
    /// judged when it is sent. `D208` if there is no such method.
    pub fn request(&self, method: &str, url: &str) -> Result<RequestBuilder, Failure> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| {
            let message = format!("`{method}` is not an HTTP method");
            Failure::new(Code::DestinationManifest, message).caused_by(error)
        })?;
        if let Ok(url) = Url::parse(url)
            && let Err(error) = self.reach.check(&url)
        {
            return Err(out_of_reach(url.host_str().unwrap_or_default()).caused_by(error));
        }
        Ok(self.client.request(method, url))
    }
}

fn client(network: &Network, concurrency: usize) -> Result<Client, Failure> {
    let unusable = |what: &str| Failure::new(Code::DestinationTls, what.to_owned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS cannot be set up").caused_by(error))?
        .with_root_certificates(authorities(network)?)
        .with_no_client_auth();
    let builder = match &network.reach {
        Reach::Anywhere => Client::builder(),
        reach @ Reach::Public { .. } => Client::builder().dns_resolver(reach.clone()),
    };
    builder
        .tls_backend_preconfigured(tls)
        .http1_only()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(concurrency.max(1))
        .connect_timeout(network.connect_timeout)
        .timeout(network.timeout)
        .user_agent(concat!("ebb/", env!("CARGO_PKG_VERSION")))
        // What was meant for one host, credentials included, is never sent to another.
        .redirect(Policy::custom(|attempt| {
            let first = attempt.previous().first();
            let same = first.is_some_and(|first| {
                first.host() == attempt.url().host() && first.scheme() == attempt.url().scheme()
            });
            if same && attempt.previous().len() <= REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        }))
        .build()
        .map_err(|error| unusable("the HTTP client cannot be set up").caused_by(error))
}

fn authorities(network: &Network) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    // An odd certificate among the system's is no reason to trust none of them.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &network.extra_authorities {
        let unreadable = || {
            Failure::new(
                Code::FileMissing,
                format!("the authorities in `{}` cannot be read", path.display()),
            )
            .help("Name a file with certificates in PEM form")
        };
        let pem = fs::read(path).map_err(|error| unreadable().caused_by(error))?;
        let extra = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable().caused_by(error))?;
        store.add_parsable_certificates(extra);
    }
    Ok(store)
}
