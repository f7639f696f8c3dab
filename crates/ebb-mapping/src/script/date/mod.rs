//! Text that JavaScript understands as a date.
//!
//! ISO 8601 first; what that leaves goes to the lenient rules that engines keep for old programs:
//! words before the first number are ignored, months have names, numbers are month, day and year.

mod compose;
mod tokens;

use std::sync::LazyLock;

use regex::Regex;

use compose::{Day, Time, Zone};
use tokens::{Token, Tokens, Word};

/// What the reference's date library reads itself, in local time, whatever the numbers are.
static LENIENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^[0-9]{4}[-/]?(?:[0-9]{1,2})?[-/]?[0-9]{0,2}[Tt\s\x{feff}]*(?:[0-9]{1,2})?",
        r":?(?:[0-9]{1,2})?:?(?:[0-9]{1,2})?[.:]?(?:[0-9]+)?$"
    ))
    .expect("the expression is a constant and valid")
});

/// Whether text is a date to the reference.
pub(crate) fn is_date(text: &str) -> bool {
    (!text.ends_with(['Z', 'z']) && LENIENT.is_match(text)) || milliseconds_of_date(text).is_some()
}

/// What `Date.parse(text)` gives where the local time zone is UTC.
pub(crate) fn milliseconds_of_date(text: &str) -> Option<i64> {
    let mut parser = Parser {
        tokens: Tokens::new(text),
        day: Day::default(),
        time: Time::default(),
        zone: Zone::default(),
    };
    let mut token = parser.iso()?;
    let mut numbers = !parser.day.is_empty();
    while token != Token::End {
        parser.lenient(token, &mut numbers)?;
        token = parser.tokens.next();
    }
    let days = parser.day.days()?;
    let time = parser.time.milliseconds()?;
    Some(days * 86_400_000 + time - parser.zone.milliseconds())
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    day: Day,
    time: Time,
    zone: Zone,
}

impl Parser<'_> {
    /// Reads as much as is ISO 8601; the first token that is not, or `None` if that spoils all.
    fn iso(&mut self) -> Option<Token> {
        if let Token::Sign(sign) = self.tokens.peek() {
            let token = self.tokens.next();
            let Some(year) = self.tokens.peek().digits(6) else { return Some(token) };
            self.tokens.next();
            if sign < 0 && year == 0 {
                return Some(token);
            }
            self.day.add(sign * year);
        } else if let Some(year) = self.tokens.peek().digits(4) {
            self.tokens.next();
            self.day.add(year);
        } else {
            return Some(self.tokens.next());
        }
        for most in [12, 31] {
            if !self.tokens.skip(Token::Sign(-1)) {
                break;
            }
            match self.tokens.peek().digits(2) {
                Some(part) if (1..=most).contains(&part) => self.day.add(part),
                Some(_) | None => return Some(self.tokens.next()),
            };
            self.tokens.next();
        }
        if self.tokens.peek() == Token::Word(Word::T) {
            self.tokens.next();
            self.iso_time()?;
            if self.tokens.peek() != Token::End {
                return None;
            }
        } else if self.tokens.peek() != Token::End {
            return Some(self.tokens.next());
        }
        self.day.iso = true;
        Some(Token::End)
    }

    fn pair(&mut self, most: i64) -> Option<i64> {
        self.tokens.next().digits(2).filter(|part| *part <= most)
    }

    fn iso_time(&mut self) -> Option<()> {
        let hour = self.pair(24)?;
        let most = if hour == 24 { 0 } else { 59 };
        self.time.add(hour);
        if !self.tokens.skip(Token::Colon) {
            return None;
        }
        let minute = self.pair(most)?;
        self.time.add(minute);
        if self.tokens.skip(Token::Colon) {
            let second = self.pair(most)?;
            self.time.add(second);
            if self.tokens.skip(Token::Dot) {
                let part = self.tokens.next().fraction()?;
                if hour == 24 && part > 0 {
                    return None;
                }
                self.time.add(part);
            }
        }
        match self.tokens.peek() {
            Token::Word(Word::Zone(0, true)) => {
                self.tokens.next();
                self.zone.set(0);
            }
            Token::Sign(sign) => {
                self.tokens.next();
                self.zone.sign = Some(sign);
                let (hour, minute) = if let Some(both) = self.tokens.peek().digits(4) {
                    self.tokens.next();
                    (both / 100, both % 100)
                } else {
                    let hour = self.pair(23)?;
                    if !self.tokens.skip(Token::Colon) {
                        return None;
                    }
                    (hour, self.pair(59)?)
                };
                if hour > 23 || minute > 59 {
                    return None;
                }
                (self.zone.hour, self.zone.minute) = (Some(hour), Some(minute));
            }
            Token::Number { .. }
            | Token::Word(_)
            | Token::Colon
            | Token::Dot
            | Token::Close
            | Token::Space
            | Token::Other
            | Token::End => {}
        }
        Some(())
    }

    fn lenient(&mut self, token: Token, numbers: &mut bool) -> Option<()> {
        match token {
            Token::Number { value, .. } => {
                *numbers = true;
                self.number(value)
            }
            Token::Word(Word::Half(hours)) if !self.time.is_empty() => {
                self.time.half = Some(hours);
                Some(())
            }
            Token::Word(Word::Month(month)) => {
                self.day.month = Some(month);
                self.tokens.skip(Token::Sign(-1));
                Some(())
            }
            Token::Word(Word::Zone(hours, _)) if *numbers => {
                self.zone.set(hours);
                Some(())
            }
            // Other words may stand before the first number alone, and not next to it.
            Token::Word(_) => {
                (!*numbers && !matches!(self.tokens.peek(), Token::Number { .. })).then_some(())
            }
            Token::Sign(sign) if self.zone.is_utc() || !self.time.is_empty() => {
                *numbers = true;
                self.offset(sign)
            }
            Token::Sign(_) | Token::Close => (!*numbers).then_some(()),
            Token::Colon | Token::Dot | Token::Space | Token::Other | Token::End => Some(()),
        }
    }

    fn number(&mut self, value: i64) -> Option<()> {
        if self.tokens.skip(Token::Colon) {
            if self.tokens.skip(Token::Colon) {
                if !self.time.is_empty() {
                    return None;
                }
                self.time.add(value);
                self.time.add(0);
            } else {
                if !self.time.add(value) {
                    return None;
                }
                self.tokens.skip(Token::Dot);
            }
        } else if self.tokens.skip(Token::Dot) && self.time.expects(value) {
            self.time.add(value);
            let part = self.tokens.next().fraction()?;
            self.time.finish(part);
        } else if self.zone.expects(value) {
            self.zone.minute = Some(value);
        } else if self.time.expects(value) {
            self.time.finish(value);
            return match self.tokens.peek() {
                Token::End | Token::Space | Token::Sign(_) | Token::Word(Word::Zone(0, true)) => {
                    Some(())
                }
                Token::Number { .. }
                | Token::Word(_)
                | Token::Colon
                | Token::Dot
                | Token::Close
                | Token::Other => None,
            };
        } else {
            if !self.day.add(value) {
                return None;
            }
            self.tokens.skip(Token::Sign(-1));
        }
        Some(())
    }

    fn offset(&mut self, sign: i64) -> Option<()> {
        self.zone.sign = Some(sign);
        let (value, length) = match self.tokens.peek() {
            Token::Number { value, length } => {
                self.tokens.next();
                (value, length)
            }
            Token::Word(_)
            | Token::Sign(_)
            | Token::Colon
            | Token::Dot
            | Token::Close
            | Token::Space
            | Token::Other
            | Token::End => (0, 0),
        };
        (self.zone.hour, self.zone.minute) = if self.tokens.peek() == Token::Colon {
            (Some(value), None)
        } else {
            match length {
                1 | 2 => (Some(value), Some(0)),
                3 | 4 => (Some(value / 100), Some(value % 100)),
                _ => return None,
            }
        };
        Some(())
    }
}
