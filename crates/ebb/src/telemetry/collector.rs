//! The way to the collector: the one client that everything else goes out by.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ebb_core::port::{Body, Header, Transport};
use ebb_destination::Network;
use ebb_workspace::SystemClock;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::{Builder, Runtime};

/// Brings spans to the collector.
pub(super) struct Collector {
    transport: Arc<dyn Transport>,
    /// Spans are sent from a thread of the SDK, on which no other runtime waits.
    runtime: Runtime,
    /// Whether somebody was told that the collector does not take them.
    told: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Collector {
    /// A way that gives up on an answer after a time.
    pub(super) fn new(timeout: Duration) -> io::Result<Self> {
        let network = Network { timeout, ..Network::default() };
        Ok(Self {
            transport: ebb_destination::transport(&network, Arc::new(SystemClock)),
            runtime: Builder::new_current_thread().enable_all().build()?,
            told: AtomicBool::new(false),
        })
    }

    /// Says that spans do not arrive, and that they do again: once each.
    fn tell(&self, trouble: Option<&str>) {
        match (trouble, self.told.swap(trouble.is_some(), Ordering::Relaxed)) {
            (Some(trouble), false) => tracing::error!("traces are not taken: {trouble}"),
            (None, true) => tracing::info!("traces are taken again"),
            (Some(_), true) | (None, false) => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let headers = request.headers().iter().map(|(name, value)| {
            let value = value.to_str()?.to_owned();
            Ok(Header { name: name.as_str().to_owned(), value, secret: true })
        });
        let request = ebb_core::port::Request {
            method: request.method().to_string(),
            url: request.uri().to_string(),
            headers: headers.collect::<Result<_, HttpError>>()?,
            body: Body::Text(request.into_body()),
        };
        let reply = match self.runtime.block_on(self.transport.send(&request)) {
            Ok(reply) => reply,
            Err(failure) => {
                self.tell(Some(failure.message()));
                return Err(failure.into());
            }
        };
        let refused = format!("the collector answered {}", reply.status);
        self.tell((!(200..300).contains(&reply.status)).then_some(&*refused));
        let mut response = Response::builder().status(reply.status);
        for (name, value) in &reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(reply.body)?)
    }
}
