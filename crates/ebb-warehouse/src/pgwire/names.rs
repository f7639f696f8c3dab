//! Names and literals as these servers read them.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

/// A name, quoted.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal, where backslashes are plain characters.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a name is read as it is written without quotes: the servers make small letters of all.
pub(crate) fn keeps_case(name: &str) -> bool {
    !name.contains(|letter: char| letter.is_ascii_uppercase())
}

/// A table's name, shortened where the server would cut it off and take two names for one.
pub(crate) fn within_limit(table: &str) -> Cow<'_, str> {
    const LONGEST: usize = 63;
    if table.len() <= LONGEST {
        return Cow::Borrowed(table);
    }
    let beginning = table.get(..table.floor_char_boundary(LONGEST - 17)).unwrap_or_default();
    Cow::Owned(format!("{beginning}_{:016x}", xxh3_64(table.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::within_limit;

    #[test]
    fn long_table_names_stay_apart_within_the_servers_limit() {
        let long = "ä".repeat(60);
        let names = [format!("{long}1"), format!("{long}2")];
        let short = names.each_ref().map(|name| within_limit(name));
        assert_ne!(short[0], short[1]);
        assert!(short.iter().all(|name| name.len() <= 63));
        assert_eq!(within_limit("records_users"), "records_users");
    }
}
