//! TLS of the server's own: a certificate from files, connections that are encrypted by it, and files that
//! are renewed while it runs.

mod certificate;
mod listener;
mod renewal;

pub use certificate::Certificate;
pub(crate) use listener::TlsListener;
pub(crate) use renewal::follow;
