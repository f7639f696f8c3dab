//! The server: an API and pages over a project, for several people, with its schedules.
//!
//! It adds nothing to what the command line does: both stand on `ebb-workspace` and the engine. What
//! people make in the page lies in the control database as a project file would say it, and is checked
//! by the same rules.

mod access;
mod alerts;
mod api;
mod app;
mod assets;
mod body;
mod hooks;
mod metrics;
mod pages;
mod prose;
mod refusal;
mod router;
mod tls;
mod traces;

pub use alerts::check_channel;
pub use app::{App, Started, Way};
pub use router::{serve, serve_tls};
pub use tls::Certificate;
