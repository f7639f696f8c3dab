//! What is BigQuery's own: its types, its faults, what jobs say, and how they sign in.

mod double;
mod failures;
mod requests;
mod storage;
mod types;

pub(crate) use double::Double;
