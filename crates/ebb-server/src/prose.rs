//! Texts for people, in which backticks stand around code.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prose {
    Words(String),
    /// To be read to the letter.
    Code(String),
}

/// The pieces of a text.
pub(crate) fn prose(text: &str) -> Vec<Prose> {
    let pieces = text.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    let piece = |(place, piece): (usize, &str)| {
        if place % 2 == 0 { Prose::Words(piece.to_owned()) } else { Prose::Code(piece.to_owned()) }
    };
    pieces.map(piece).collect()
}

/// A text as a sentence that stands alone: with a capital letter, unless it begins with code.
pub(crate) fn sentence(text: &str) -> Vec<Prose> {
    let mut pieces = prose(text);
    if let Some(Prose::Words(words)) = pieces.first_mut() {
        *words = capitalized(words);
    }
    pieces
}

/// Words with a capital letter.
pub(crate) fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_mark_code() {
        let told = prose("a time such as `5min`");
        assert_eq!(
            told,
            [Prose::Words("a time such as ".to_owned()), Prose::Code("5min".to_owned())]
        );
        assert_eq!(sentence("`a`"), [Prose::Code("a".to_owned())]);
        assert_eq!(sentence("no name"), [Prose::Words("No name".to_owned())]);
    }
}
