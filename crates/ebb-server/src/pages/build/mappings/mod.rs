//! Mappings: which model goes to which action, and what becomes of its columns.

mod edit;
mod editor;
mod ends;
mod form;
mod function;
mod list;
mod node;
mod panel;
mod records;
mod save;

pub(super) use edit::{edit, rearrange};
pub(super) use ends::{rejoin, show_new};
pub(super) use list::list;
pub(super) use panel::{render, send};
pub(super) use save::{counts, create, replace, update};

/// The path of the value that holds one.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The place of a value within the one that holds it.
pub(super) fn place(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, place)| place)
}
