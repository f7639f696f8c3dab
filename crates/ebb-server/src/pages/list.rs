//! Lists that are too long for one page: what is looked for, and which page of it is shown.

use serde::Deserialize;
use url::form_urlencoded;

/// Rows of one page.
pub(super) const ROWS: usize = 50;

/// What of a list is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// A part of a name; empty for all.
    pub(super) q: String,
    /// The page, counted from 1; 0 is the first, too.
    pub(super) page: usize,
}

impl Wanted {
    /// The address of another page of a list that is found under `path`.
    pub(super) fn address(&self, path: &str, page: usize) -> String {
        address(path, &[("q", &self.q)], page)
    }
}

/// Whether one of these texts holds what is looked for.
pub(super) fn fits(wanted: &str, texts: &[&str]) -> bool {
    let wanted = wanted.trim().to_lowercase();
    wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&wanted))
}

/// The address of a page of a list; what is empty is left out, and so is the first page's number.
pub(super) fn address(path: &str, filter: &[(&str, &str)], page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filter.iter().filter(|(_, value)| !value.is_empty()));
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    match query.finish() {
        empty if empty.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// Leaves one page of rows, of which one more was read than it has; gives the address of the next page, made
/// from the last row, if there is more.
pub(super) fn older<T>(rows: &mut Vec<T>, address: impl Fn(&T) -> String) -> Option<String> {
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    rows.last().filter(|_| more).map(address)
}

/// One page of a list, and the way to its neighbours.
pub(super) struct Paged {
    /// The page before, if there is one.
    pub(super) previous: Option<String>,
    /// The page behind, if there is one.
    pub(super) following: Option<String>,
    /// Rows of the whole list.
    pub(super) of: usize,
}

impl Paged {
    /// Leaves the rows of page `number` in a list.
    pub(super) fn cut<T>(
        all: &mut Vec<T>,
        number: usize,
        address: impl Fn(usize) -> String,
    ) -> Self {
        let of = all.len();
        let number = number.clamp(1, of.div_ceil(ROWS).max(1));
        all.drain(..(number - 1) * ROWS);
        all.truncate(ROWS);
        Self {
            previous: (number > 1).then(|| address(number - 1)),
            following: (number * ROWS < of).then(|| address(number + 1)),
            of,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Paged, Wanted};

    fn page(number: usize, of: usize) -> (Vec<usize>, Option<String>, Option<String>) {
        let wanted = Wanted { q: "a b".to_owned(), page: number };
        let mut rows = (0..of).collect();
        let paged = Paged::cut(&mut rows, number, |number| wanted.address("/models", number));
        assert_eq!(paged.of, of);
        (rows, paged.previous, paged.following)
    }

    #[test]
    fn a_page_leads_to_its_neighbours() {
        let some = |address: &str| Some(address.to_owned());
        assert_eq!(page(0, 50), ((0..50).collect(), None, None));
        assert_eq!(page(1, 51), ((0..50).collect(), None, some("/models?q=a+b&page=2")));
        assert_eq!(page(2, 51), (vec![50], some("/models?q=a+b"), None));
        assert_eq!(page(9, 51), page(2, 51), "a list that became shorter");
        assert_eq!(page(7, 0), (vec![], None, None));
    }
}
