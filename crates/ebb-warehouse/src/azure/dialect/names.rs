//! Names and texts as T-SQL writes them.

/// A name in brackets.
pub(in crate::azure) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text literal.
pub(in crate::azure) fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{literal, quoted};

    #[test]
    fn names_and_texts_end_where_they_should() {
        assert_eq!(quoted("a]b\"c"), "[a]]b\"c]");
        assert_eq!(literal("it's \\"), "N'it''s \\'");
    }
}
