//! Models: one query of a source each, with the column that names its records.

mod edit;
mod form;
mod list;
mod sample;

pub(super) use edit::{counts, create, preview, show, show_new, update};
pub(super) use list::list;
pub(super) use sample::{among, type_of};
