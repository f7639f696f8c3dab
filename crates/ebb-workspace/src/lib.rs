//! A project with everything it names: what the command line and the server work with.

pub mod project;
mod workspace;

pub use workspace::{SystemClock, Workspace};
