//! The one way out: an HTTP client with limits, and the credentials that are fetched.

mod client;
mod failure;
mod oauth;
mod reach;
mod retry_after;
mod transport;

pub use client::{Network, Outlet};
pub use failure::no_answer;
pub use reach::Reach;
pub(crate) use transport::HttpTransport;
