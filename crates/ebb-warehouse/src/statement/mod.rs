//! The statements of the diff, the commit and so on, written once from a dialect's hooks.

mod apart;
pub(crate) mod commit;
pub(crate) mod diff;
pub(crate) mod read;
pub(crate) mod rebase;
pub(crate) mod swap;
#[cfg(test)]
mod tests;

/// More items for a list that has some: `, one, two`.
fn more(items: impl Iterator<Item = String>) -> String {
    items.fold(String::new(), |list, item| list + ", " + &item)
}
