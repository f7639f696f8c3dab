//! Alert rules: what is told of which mappings, and to whom.

mod edit;
mod form;

pub(super) use edit::{create, show, show_new, update};
