//! Connections by TLS. Whoever is slow or silent while encryption is agreed on stops nobody else.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use axum::serve::Listener;
use ebb_core::Failure;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::Certificate;

/// So long encryption may take to be agreed on.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many connections may be agreeing on it at once; for one more the oldest is given up.
const AT_ONCE: usize = 512;

/// What is answered to a request that comes without encryption.
const BY_HTTPS_ALONE: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 64\r\n\
    connection: close\r\n\r\n\
    This server speaks TLS: write https:// in front of its address.\n";

/// Listens, and gives connections that are encrypted.
pub(crate) struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<Ready>>,
    /// The oldest handshake first; some may have ended.
    order: VecDeque<AbortHandle>,
}

/// A connection that is encrypted, and whose it is.
type Ready = (TlsStream<TcpStream>, SocketAddr);

impl TlsListener {
    pub(crate) fn new(listener: TcpListener, certificate: &Certificate) -> Result<Self, Failure> {
        let acceptor = TlsAcceptor::from(certificate.config()?);
        let (handshakes, order) = (JoinSet::new(), VecDeque::new());
        Ok(Self { listener, acceptor, handshakes, order })
    }

    fn begin(&mut self, stream: TcpStream, peer: SocketAddr) {
        while self.order.front().is_some_and(AbortHandle::is_finished) {
            self.order.pop_front();
        }
        if self.handshakes.len() >= AT_ONCE
            && let Some(oldest) = self.order.pop_front()
        {
            oldest.abort();
        }
        let acceptor = self.acceptor.clone();
        let handshake = async move {
            match timeout(PATIENCE, shake_hands(stream, &acceptor)).await {
                Ok(Ok(stream)) => Some((stream?, peer)),
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "no encryption was agreed on");
                    None
                }
                Err(_) => {
                    tracing::debug!(%peer, "no encryption was agreed on in time");
                    None
                }
            }
        };
        self.order.push_back(self.handshakes.spawn(handshake));
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Ready {
        loop {
            tokio::select! {
                (stream, peer) = Listener::accept(&mut self.listener) => self.begin(stream, peer),
                Some(ended) = self.handshakes.join_next() => {
                    if let Ok(Some(ready)) = ended {
                        return ready;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// `None` for a client that does not speak TLS, which is told so.
async fn shake_hands(
    mut stream: TcpStream,
    acceptor: &TlsAcceptor,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A method's first letter; TLS begins with a byte that is none.
    if !first[0].is_ascii_uppercase() {
        return acceptor.accept(stream).await.map(Some);
    }
    // What was sent is read first: to close over unread bytes would take the answer back.
    let mut request = [0; 4096];
    stream.try_read(&mut request)?;
    stream.write_all(BY_HTTPS_ALONE).await?;
    stream.shutdown().await?;
    Ok(None)
}
