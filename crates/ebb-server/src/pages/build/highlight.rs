//! SQL and JSON with colours.

/// A piece of code of one colour: the class of its element, empty for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

/// Words of SQL that are drawn as such: those of queries and of grants.
const KEYWORDS: &[&str] = &[
    "all",
    "alter",
    "and",
    "as",
    "by",
    "case",
    "create",
    "database",
    "default",
    "else",
    "end",
    "exists",
    "for",
    "from",
    "future",
    "grant",
    "group",
    "identified",
    "if",
    "in",
    "insert",
    "into",
    "is",
    "join",
    "left",
    "limit",
    "login",
    "not",
    "null",
    "on",
    "or",
    "order",
    "password",
    "privileges",
    "read",
    "role",
    "schema",
    "schemas",
    "select",
    "set",
    "table",
    "tables",
    "temporary",
    "then",
    "to",
    "update",
    "usage",
    "use",
    "user",
    "using",
    "warehouse",
    "when",
    "where",
    "with",
];

/// SQL in pieces.
pub(crate) fn sql(text: &str) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '-' if rest.starts_with("--") => ("c", rest.find('\n').unwrap_or(rest.len())),
            '\'' => ("s", quoted(rest, '\'')),
            '"' | '`' => ("", quoted(rest, first)),
            _ if first.is_alphabetic() || first == '_' => {
                let word = |it: char| !it.is_alphanumeric() && it != '_';
                let length = rest.find(word).unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default().to_ascii_lowercase();
                (if KEYWORDS.contains(&word.as_str()) { "k" } else { "" }, length)
            }
            _ => ("", first.len_utf8()),
        };
        rest = pieces.push(class, rest, length);
    }
    pieces.0
}

/// JSON text in pieces; any other text stays without colour.
pub(crate) fn json(text: &str) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '"' => {
                let length = quoted(rest, '"');
                let after = rest.get(length..).unwrap_or_default().trim_start();
                (if after.starts_with(':') { "k" } else { "s" }, length)
            }
            '-' | '0'..='9' | 't' | 'f' | 'n' => {
                let ends = |it: char| !it.is_ascii_alphanumeric() && !matches!(it, '-' | '+' | '.');
                ("n", rest.find(ends).unwrap_or(rest.len()))
            }
            _ => ("", first.len_utf8()),
        };
        rest = pieces.push(class, rest, length);
    }
    pieces.0
}

/// A JSON document with line breaks and colours; other text as it is.
pub(crate) fn document(text: &str) -> Vec<Piece> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return vec![Piece { class: "", text: text.to_owned() }];
    };
    json(&serde_json::to_string_pretty(&value).unwrap_or_default())
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    /// Adds the first bytes of a text and gives the rest.
    fn push<'t>(&mut self, class: &'static str, text: &'t str, length: usize) -> &'t str {
        let (piece, rest) = text.split_at_checked(length).unwrap_or((text, ""));
        match self.0.last_mut() {
            Some(last) if last.class == class => last.text.push_str(piece),
            Some(_) | None => self.0.push(Piece { class, text: piece.to_owned() }),
        }
        rest
    }
}

/// The length of what begins with a quote, until the quote that ends it.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, it) in text.char_indices().skip(1) {
        match it {
            '\\' if quote == '"' && !escaped => escaped = true,
            _ if it == quote && !escaped => return place + it.len_utf8(),
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Piece, json, sql};

    fn drawn(pieces: &[Piece]) -> String {
        let draw = |Piece { class, text }: &Piece| match *class {
            "" => text.clone(),
            class => format!("<{class} {text}>"),
        };
        pieces.iter().map(draw).collect()
    }

    #[test]
    fn sql_has_words_texts_and_comments() {
        let text = "-- all\ngrant select on \"from\" to ebb_1; 'it''s from'";
        assert_eq!(
            drawn(&sql(text)),
            "<c -- all>\n<k grant> <k select> <k on> \"from\" <k to> ebb_1; <s 'it''s from'>"
        );
    }

    #[test]
    fn json_has_keys_texts_and_numbers() {
        let text = r#"{ "a\"b": "x: 1", "n": [-1.5e3, true, null] }"#;
        assert_eq!(
            drawn(&json(text)),
            r#"{ <k "a\"b">: <s "x: 1">, <k "n">: [<n -1.5e3>, <n true>, <n null>] }"#
        );
    }
}
