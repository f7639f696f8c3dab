//! Names and texts as T-SQL writes them.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

/// A name in brackets.
pub(in crate::azure) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text literal.
pub(in crate::azure) fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// A table's name, shortened where the server would refuse it.
pub(super) fn within_limit(table: &str) -> Cow<'_, str> {
    const LONGEST: usize = 128;
    if table.len() <= LONGEST {
        return Cow::Borrowed(table);
    }
    let beginning = table.get(..table.floor_char_boundary(LONGEST - 17)).unwrap_or_default();
    Cow::Owned(format!("{beginning}_{:016x}", xxh3_64(table.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::{literal, quoted, within_limit};

    #[test]
    fn names_and_texts_end_where_they_should() {
        assert_eq!(quoted("a]b\"c"), "[a]]b\"c]");
        assert_eq!(literal("it's \\"), "N'it''s \\'");
    }

    #[test]
    fn long_table_names_stay_apart() {
        let names = [1, 2].map(|end| format!("{}{end}", "ä".repeat(100)));
        let short = names.each_ref().map(|name| within_limit(name));
        assert_ne!(short[0], short[1]);
        assert!(short.iter().all(|name| name.len() <= 128));
    }
}
