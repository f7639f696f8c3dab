//! Channels: where people are told who do not look at the page.

mod edit;

pub(super) use edit::{Tested, create, show, show_new, test, update};
