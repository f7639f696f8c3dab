//! Where a request comes from: for who counts tries.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, connect_info::Connected},
    http::{HeaderMap, request::Parts},
    serve::IncomingStream,
};
use tokio::net::TcpListener;

use crate::{
    app::{App, Way},
    tls::TlsListener,
};

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(IpAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

/// The machine that asks: the other end of the connection, or the one that a proxy in front asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin(pub(crate) IpAddr);

impl FromRequestParts<Arc<App>> for Origin {
    type Rejection = <ConnectInfo<Peer> as FromRequestParts<Arc<App>>>::Rejection;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, Self::Rejection> {
        let ConnectInfo(Peer(peer)) = ConnectInfo::from_request_parts(parts, app).await?;
        Ok(Self(match app.way {
            Way::Plain | Way::Tls => peer,
            Way::Proxy => forwarded(&parts.headers).unwrap_or(peer),
        }))
    }
}

/// Whom the proxy asks for. What stands before the last address was said by others, and may be invented.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let address = last.rsplit(',').next()?.trim();
    address.parse().ok().or_else(|| Some(address.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::forwarded;

    #[test]
    fn the_last_address_counts_since_the_proxy_wrote_it() {
        let told = |lines: &[&'static str]| {
            let name = "x-forwarded-for";
            let lines =
                lines.iter().map(|line| (name.parse().unwrap(), HeaderValue::from_static(line)));
            forwarded(&lines.collect::<HeaderMap>()).map(|address| address.to_string())
        };
        assert_eq!(told(&["192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(told(&["192.0.2.1, 192.0.2.2"]).as_deref(), Some("192.0.2.2"));
        assert_eq!(told(&["192.0.2.1", "2001:db8::2"]).as_deref(), Some("2001:db8::2"));
        assert_eq!(told(&["[2001:db8::2]:443"]).as_deref(), Some("2001:db8::2"));
        assert_eq!(told(&["unknown"]), None);
        assert_eq!(told(&[]), None);
    }
}
