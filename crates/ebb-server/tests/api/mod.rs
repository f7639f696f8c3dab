//! The interface for programs.

mod apply;
mod configuration;
mod description;
mod drafts;
mod effects;
mod hooks;
mod kept;
mod models;
mod people;
mod syncs;
mod usage;
