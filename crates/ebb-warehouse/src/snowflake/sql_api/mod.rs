//! The SQL API: each request stands for itself, and rows come as JSON.

mod answer;
mod client;
mod request;

pub(super) use client::Client;
