//! The statements of the diff, the commit and so on, written once from a dialect's hooks.

mod apart;
pub(crate) mod commit;
pub(crate) mod diff;
pub(crate) mod read;
pub(crate) mod rebase;
pub(crate) mod swap;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

use crate::dialect::Dialect;

/// What lets a query give so many rows at most at its end, after a separator.
fn limit<D: Dialect + ?Sized>(dialect: &D, separator: &str, rows: u64) -> String {
    let limit = dialect.limit(rows);
    if limit.is_empty() { limit } else { format!("{separator}{limit}") }
}

/// More items for a list that has some: `, one, two`.
fn more(items: impl Iterator<Item = String>) -> String {
    items.fold(String::new(), |list, item| list + ", " + &item)
}
