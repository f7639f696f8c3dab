//! The engine against a world of fakes: deterministic, in virtual time, with faults.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

mod consent;
mod scenarios;
mod scheduling;
mod simulation;
mod usage;
mod world;
