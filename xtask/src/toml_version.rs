//! Our TOML reader takes version 1.1; most editors and other languages still read 1.0.

use toml_parser::{
    ParseError, Source,
    decoder::Encoding,
    parser::{Event, EventKind, parse_document},
};

/// What version 1.0 does not allow, with its line: line breaks and trailing commas in inline
/// tables, and the escapes `\e` and `\x`.
pub(crate) fn newer_than_1_0(text: &str) -> Vec<(usize, &'static str)> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut open = Vec::new();
    let mut after_comma = false;
    let mut found = Vec::new();
    let mut receive = |event: Event| {
        let kind = event.kind();
        let mut find = |what| {
            let line = 1 + text.bytes().take(event.span().start()).filter(|b| *b == b'\n').count();
            found.push((line, what));
        };
        match kind {
            EventKind::InlineTableOpen | EventKind::ArrayOpen => open.push(kind),
            EventKind::ArrayClose => {
                open.pop();
            }
            EventKind::InlineTableClose => {
                open.pop();
                if after_comma {
                    find("a trailing comma in an inline table");
                }
            }
            EventKind::Newline if open.last() == Some(&EventKind::InlineTableOpen) => {
                find("a line break in an inline table");
            }
            EventKind::SimpleKey | EventKind::Scalar => {
                let escapes = matches!(
                    event.encoding(),
                    Some(Encoding::BasicString | Encoding::MlBasicString)
                );
                let raw = source.get(event.span()).map_or("", |raw| raw.as_str());
                if escapes && has_new_escape(raw) {
                    find(r"an escape `\e` or `\x`");
                }
            }
            EventKind::Newline
            | EventKind::StdTableOpen
            | EventKind::StdTableClose
            | EventKind::ArrayTableOpen
            | EventKind::ArrayTableClose
            | EventKind::KeySep
            | EventKind::KeyValSep
            | EventKind::ValueSep
            | EventKind::Whitespace
            | EventKind::Comment
            | EventKind::Error => {}
        }
        if !matches!(kind, EventKind::Whitespace | EventKind::Newline | EventKind::Comment) {
            after_comma = kind == EventKind::ValueSep;
        }
    };
    // what is no TOML at all is told by the reader itself
    let mut ignored: Vec<ParseError> = Vec::new();
    parse_document(&tokens, &mut receive, &mut ignored);
    found
}

fn has_new_escape(raw: &str) -> bool {
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && matches!(characters.next(), Some('e' | 'x')) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::newer_than_1_0;

    #[test]
    fn what_version_1_0_allows_is_left_alone() {
        let text = "a = [\n  1, # one\n  2,\n]\nb = { c = [\n1,\n] }\n\
                    d = \"\\\\x \\u00e9\"\ne = '\\x'\nf = 10:00:00\n";
        assert!(text.parse::<toml::Table>().is_ok());
        assert_eq!(newer_than_1_0(text), []);
    }

    #[test]
    fn what_version_1_1_added_is_found() {
        let text = "a = {\n  b = 1,\n}\nc = { d = 1, }\ne = \"\\x41\"\n";
        assert!(text.parse::<toml::Table>().is_ok());
        assert_eq!(
            newer_than_1_0(text),
            [
                (1, "a line break in an inline table"),
                (2, "a line break in an inline table"),
                (3, "a trailing comma in an inline table"),
                (4, "a trailing comma in an inline table"),
                (5, r"an escape `\e` or `\x`"),
            ]
        );
    }
}
