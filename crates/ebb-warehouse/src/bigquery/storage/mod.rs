//! The Storage Read API: many rows of a table as Arrow, by gRPC.
//!
//! A query's result comes through one worker if it is to have an order, and its pages are JSON. Here a table is read
//! as it lies, without a statement: a session fixes its rows at one moment, and has streams that are read side by
//! side. A changes table holds its values in forms that both ways give alike (`dialect::stored`), and its
//! rows are fetched by ranges of `seq`, because the order of rows is made here (`range`).
//!
//! Of gRPC it takes a frame around each message (`frames`) and a status in the trailers (`status`); the rest is
//! HTTP/2, which is there.

mod attempts;
mod call;
mod failure;
mod frames;
mod messages;
mod order;
mod range;
mod rows;
mod session;
mod status;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ebb_core::{Failure, port::BatchStream};
use prost::Message;
use tokio::time;

use super::{
    client::Client,
    settings::{ConnectionSettings, StorageRead},
};
use crate::{connection::Changes, http::Service};
use attempts::{Attempts, Next};
use call::{Answers, Broken, Channel, Method};

pub(super) use session::try_out;

/// The way to the API, and whether it is still tried.
pub(super) struct Storage {
    channel: Channel,
    service: Service,
    /// Set once it was refused and what it would have read was read in another way.
    given_up: AtomicBool,
}

impl Storage {
    /// Nothing is sent yet.
    pub(super) fn new(settings: &ConnectionSettings) -> Result<Self, Failure> {
        let address = settings.storage_endpoint.clone();
        Ok(Self {
            channel: Channel::new(address.clone(), settings.connect_timeout)?,
            service: Service {
                name: "BigQuery",
                interface: "BigQuery's Storage Read API",
                settings: "`storage_endpoint`",
                address,
            },
            given_up: AtomicBool::new(false),
        })
    }
}

/// The changes in the order of `seq`, if it is this way that they come; `None` leaves them to statements.
pub(super) async fn stream(
    client: &Arc<Client>,
    changes: &Arc<Changes>,
) -> Result<Option<BatchStream>, Failure> {
    let is_tried = match client.settings.storage_read {
        StorageRead::Always => {
            return range::stream(Arc::clone(client), Arc::clone(changes)).await.map(Some);
        }
        // What comes by ranges is more than one statement puts in order.
        StorageRead::Auto => changes.within.until.is_some(),
        StorageRead::Never => false,
    };
    let given_up = &client.storage.given_up;
    if !is_tried || given_up.load(Ordering::Relaxed) {
        return Ok(None);
    }
    match range::stream(Arc::clone(client), Arc::clone(changes)).await {
        Ok(batches) => Ok(Some(batches)),
        Err(failure) => {
            if !given_up.swap(true, Ordering::Relaxed) {
                let advice = failure.advice();
                tracing::warn!(%failure, %advice, "changes come by the slower REST interface");
            }
            Ok(None)
        }
    }
}

impl Client {
    async fn call<A: Message + Default>(
        &self,
        method: Method,
        route: &str,
        request: &impl Message,
    ) -> Result<Answers<A>, Broken> {
        let credentials = self.tokens.headers().await.map_err(Broken::NoToken)?;
        self.storage.channel.call(method, route, request, credentials).await
    }

    /// Waits until a call that failed may be made again. Fails if it may not.
    async fn wait_after(&self, broken: Broken, attempts: &mut Attempts) -> Result<(), Failure> {
        match attempts.after(&broken) {
            Next::Renew => self.tokens.renew().await,
            Next::Wait(wait) => {
                tracing::debug!(?broken, ?wait, "a service is asked again");
                time::sleep(wait).await;
            }
            Next::End => {
                return Err(failure::failed(broken, &self.storage.service, &self.settings));
            }
        }
        Ok(())
    }
}
