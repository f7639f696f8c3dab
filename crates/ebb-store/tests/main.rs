//! The control database and the parts on real files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by them"
)]

mod alerts;
mod answers;
mod children;
mod crash;
mod damage;
mod entries;
mod given;
mod history;
mod journal;
mod locks;
mod parts;
mod people;
mod previews;
