//! A project with everything it names: what the command line and the server work with.

mod keys;
mod part;
mod preview;
pub mod project;
mod vault;
mod workspace;

pub use keys::Keys;
pub use part::Part;
pub use preview::{Freshness, Preview};
pub use vault::Vault;
pub use workspace::{SystemClock, Workspace};
