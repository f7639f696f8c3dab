//! What is Snowflake's own: its types, its faults, what requests say, and how they sign in.

mod double;
mod failures;
mod oauth;
mod requests;
mod sessions;
mod types;

pub(crate) use double::Double;
