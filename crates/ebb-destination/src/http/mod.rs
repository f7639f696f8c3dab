//! The one way out: an HTTP client with limits, and the credentials that are fetched.

mod client;
mod failure;
mod oauth;
mod retry_after;
mod transport;

pub use client::Network;
pub(crate) use transport::HttpTransport;
