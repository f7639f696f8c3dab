//! A project with everything it names: what the command line and the server work with.

pub mod project;
mod vault;
mod workspace;

pub use vault::Vault;
pub use workspace::{SystemClock, Workspace};
