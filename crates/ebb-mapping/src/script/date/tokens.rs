//! The tokens of a date.

use crate::script::is_space;

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Digits: their value (of the first nine that count) and how many there are.
    Number {
        value: i64,
        length: usize,
    },
    Word(Word),
    /// `+` or `-`, as 1 or -1.
    Sign(i64),
    Colon,
    Dot,
    /// `)`.
    Close,
    Space,
    Other,
    End,
}

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A month, from 1.
    Month(i64),
    /// `am` or `pm`: the hours that it adds.
    Half(i64),
    /// A time zone: its hours, and whether it is `Z`.
    Zone(i64, bool),
    /// `T` between date and time.
    T,
    Unknown,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Word {
    fn new(word: &str) -> Self {
        let word = word.to_ascii_lowercase();
        let month = word.get(..3).and_then(|start| MONTHS.iter().position(|name| *name == start));
        if let Some(month) = month.and_then(|month| i64::try_from(month).ok()) {
            return Self::Month(month + 1);
        }
        match &*word {
            "am" => Self::Half(0),
            "pm" => Self::Half(12),
            "z" => Self::Zone(0, true),
            "ut" | "utc" | "gmt" => Self::Zone(0, false),
            "edt" => Self::Zone(-4, false),
            "est" | "cdt" => Self::Zone(-5, false),
            "cst" | "mdt" => Self::Zone(-6, false),
            "mst" | "pdt" => Self::Zone(-7, false),
            "pst" => Self::Zone(-8, false),
            "t" => Self::T,
            _ => Self::Unknown,
        }
    }
}

impl Token {
    /// The number, if it is one of so many digits.
    pub(super) fn digits(self, count: usize) -> Option<i64> {
        match self {
            Self::Number { value, length } => (length == count).then_some(value),
            Self::Word(_)
            | Self::Sign(_)
            | Self::Colon
            | Self::Dot
            | Self::Close
            | Self::Space
            | Self::Other
            | Self::End => None,
        }
    }

    /// The milliseconds that a number after a point stands for.
    pub(super) fn fraction(self) -> Option<i64> {
        let Self::Number { value, length } = self else { return None };
        Some(match length {
            1 => value * 100,
            2 => value * 10,
            3 => value,
            // Of more than nine digits, leading zeros aside, only nine were read.
            _ => value / 10_i64.pow(u32::try_from(length.min(9) - 3).unwrap_or(0)),
        })
    }
}

/// The tokens of a text, one by one.
pub(super) struct Tokens<'t> {
    rest: &'t str,
    peeked: Option<Token>,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text, peeked: None }
    }

    /// The next token, without taking it.
    pub(super) fn peek(&mut self) -> Token {
        let token = self.peeked.take().unwrap_or_else(|| self.scan());
        self.peeked = Some(token);
        token
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token {
        self.peeked.take().unwrap_or_else(|| self.scan())
    }

    /// Takes the next token if it is this one.
    pub(super) fn skip(&mut self, token: Token) -> bool {
        let same = self.peek() == token;
        if same {
            self.peeked = None;
        }
        same
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn scan(&mut self) -> Token {
        let Some(first) = self.rest.chars().next() else { return Token::End };
        if first.is_ascii_digit() {
            let digits = self.take_while(|character| character.is_ascii_digit());
            let value: String = digits.trim_start_matches('0').chars().take(9).collect();
            return Token::Number { value: value.parse().unwrap_or(0), length: digits.len() };
        }
        if first >= 'A' && !is_space(first) {
            let word = self.take_while(|character| character >= 'A' && !is_space(character));
            return Token::Word(Word::new(word));
        }
        if is_space(first) {
            self.take_while(is_space);
            return Token::Space;
        }
        if first == '(' {
            self.skip_parentheses();
            return Token::Other;
        }
        self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            ':' => Token::Colon,
            '+' => Token::Sign(1),
            '-' => Token::Sign(-1),
            '.' => Token::Dot,
            ')' => Token::Close,
            _ => Token::Other,
        }
    }

    fn skip_parentheses(&mut self) {
        let mut open = 0_usize;
        let end = self.rest.char_indices().find_map(|(place, character)| {
            match character {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            (open == 0).then_some(place + character.len_utf8())
        });
        self.rest = end.and_then(|end| self.rest.get(end..)).unwrap_or_default();
    }
}
