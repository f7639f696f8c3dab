//! Destinations: the tools that records are delivered to.

mod edit;
mod form;
mod list;
mod probe;

pub(super) use edit::{create, show, show_new, switch, update};
pub(super) use list::list;
pub(super) use probe::{Tested, test};
