//! Azure SQL, SQL Server and Synapse beyond the scenarios that every warehouse passes.

mod double;
mod failures;
mod sync;
mod types;

pub(crate) use double::Double;
