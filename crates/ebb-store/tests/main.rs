//! The control database, in a real file and on a real server, and the parts in real files.
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
mod home;
mod journal;
mod locks;
mod parts;
mod people;
mod postgres;
mod previews;
mod usage;
