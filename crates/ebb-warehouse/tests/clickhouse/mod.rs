//! What is ClickHouse's own: its types, its faults, what requests say, and commits that stop half-way.

mod commits;
mod double;
mod failures;
mod requests;
mod types;

pub(crate) use double::Double;
