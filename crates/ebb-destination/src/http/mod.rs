//! The one way out: an HTTP client with limits, and the credentials that are fetched.

mod client;
mod failure;
mod oauth;
mod reach;
mod retry_after;
mod transport;

use std::sync::Arc;

use ebb_core::port::{Clock, Transport};

pub use client::{Network, Outlet};
pub use failure::no_answer;
pub use reach::Reach;
pub(crate) use transport::HttpTransport;

/// The way out for what is sent to no destination, such as alerts: the same client with the same limits.
pub fn transport(network: &Network, clock: Arc<dyn Clock>) -> Arc<dyn Transport> {
    Arc::new(HttpTransport::plain(network, clock))
}
