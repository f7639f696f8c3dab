//! A project with everything it names: what the command line and the server work with.

mod documents;
mod keys;
mod preview;
pub mod project;
mod vault;
mod workspace;

pub use keys::Keys;
pub use preview::{Freshness, Preview};
pub use vault::Vault;
pub use workspace::{SystemClock, Workspace};
