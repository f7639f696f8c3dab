//! The server as others meet it: over a real port, on a project folder of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

mod alerts;
mod api;
mod door;
mod guide;
mod house;
mod metrics;
mod oidc;
mod pages_build;
mod pages_effect;
mod pages_mappings;
