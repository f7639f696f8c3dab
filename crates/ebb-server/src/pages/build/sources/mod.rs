//! Sources: the warehouses that models read.

mod check;
mod edit;
mod form;
mod guide;
mod list;

pub(super) use check::{all_work, test};
pub(super) use edit::{create, show, show_new, update};
pub(super) use guide::setup;
pub(super) use list::list;
