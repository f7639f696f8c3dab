//! Destinations against their examples, the reference's answers, and a scripted network.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that does not find what it looks for is to fail"
)]

mod certificates;
mod compare;
mod corpus;
mod manifests;
mod oracle;
mod prepare;
mod rows;
mod secrecy;
mod server;
mod transport;
mod variants;
