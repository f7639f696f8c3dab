//! What is Databricks' own: its types, its faults, what requests say, and how they sign in.

mod commits;
mod double;
mod failures;
mod requests;
mod types;

pub(crate) use double::Double;
