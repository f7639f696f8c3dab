//! Where a service is, from the name of its host.

use ebb_core::{Code, Failure};
use url::{Host, Url};

/// The address of a host, encrypted unless it is this machine. `example` is a host as it may be. Fails
/// with `S115`.
pub(crate) fn address(host: &str, example: &str) -> Result<Url, Failure> {
    let refuse = |message: String| Failure::new(Code::SourceSettings, message);
    let wrong = || {
        refuse(format!("`{host}` is not a host")).help(format!("Give a name such as `{example}`"))
    };
    let text = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
    let address = Url::parse(&text).map_err(|error| wrong().caused_by(error))?;
    let is_bare = matches!(address.path(), "" | "/")
        && address.query().is_none()
        && address.username().is_empty()
        && address.password().is_none();
    if !is_bare || !matches!(address.scheme(), "http" | "https") {
        return Err(wrong());
    }
    if address.scheme() == "http" && !is_loopback(&address) {
        return Err(refuse(format!("`{host}` is not encrypted"))
            .help("Use `https`; plain HTTP is for this machine alone"));
    }
    Ok(address)
}

/// Whether an address is this machine's own, so that plain HTTP shows nothing to anybody.
fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
