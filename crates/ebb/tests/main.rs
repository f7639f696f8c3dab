//! The real binary: what a person would type, and what may happen to it meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

mod apply;
mod control;
mod dbt;
mod deploy;
mod faults;
mod kill;
mod postgres;
mod secrets;
mod serve;
mod server;
mod shop;
mod story;
mod ten;
mod tls;
mod traces;
