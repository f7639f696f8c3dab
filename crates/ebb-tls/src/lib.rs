//! Encryption of connections to databases: how strict it is, whose certificates are trusted, and why a
//! handshake failed, in words.

mod client;
mod refusal;

pub use client::{SslMode, anonymous, client_config};
pub use refusal::refused;
