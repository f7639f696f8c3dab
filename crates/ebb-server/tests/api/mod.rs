//! The interface for programs.

mod configuration;
mod description;
mod models;
mod people;
mod syncs;
mod usage;
