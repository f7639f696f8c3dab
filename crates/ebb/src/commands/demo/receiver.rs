//! The receiver that plays the CRM: counts records and keeps some to show.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

/// Records kept to show.
const SAMPLES: usize = 3;

/// What arrived.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) records: u64,
    pub(super) samples: Vec<String>,
}

/// A receiver on a free port of loopback. Dropping it ends it.
pub(super) struct Receiver {
    address: String,
    received: Arc<Mutex<Received>>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Starts it.
    pub(super) async fn start() -> Result<Self, Failure> {
        let closed = |error: std::io::Error| {
            Failure::new(Code::DestinationUnreachable, "no port of loopback is free")
                .caused_by(error)
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(closed)?;
        let address = format!("http://{}", listener.local_addr().map_err(closed)?);
        let received = Arc::<Mutex<Received>>::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&received)));
        Ok(Self { address, received, _server: server })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// What arrived since the last time.
    pub(super) fn take(&self) -> Received {
        std::mem::take(&mut self.received.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(listener: TcpListener, received: Arc<Mutex<Received>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let received = Arc::clone(&received);
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, &received));
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = served.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    received: &Mutex<Received>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let Ok(records) = serde_json::from_slice::<Vec<serde_json::Value>>(&body) else {
        let mut refused = Response::new(Full::from("not a list of records"));
        *refused.status_mut() = hyper::StatusCode::BAD_REQUEST;
        return Ok(refused);
    };
    let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
    received.records += records.len() as u64;
    let room = SAMPLES.saturating_sub(received.samples.len());
    received.samples.extend(records.iter().take(room.min(1)).map(ToString::to_string));
    Ok(Response::new(Full::default()))
}
