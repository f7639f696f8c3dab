//! Reads what stands between a template's delimiters.

use ebb_core::Value;

use super::{
    filters::Filter,
    syntax::{Argument, Call, Expression, Filtered, Operand, Operator, Term},
};
use crate::script::{number_of_text, undefined, value_of_f64};

/// Whether a character counts as white space.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Whether a character can be part of a name.
pub(super) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '?' | '_')
    } else {
        !is_blank(character) && !matches!(character, '\u{201c}' | '\u{201d}')
    }
}

/// A place in the characters between two delimiters.
pub(super) struct Cursor<'t> {
    text: &'t [char],
    place: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t [char]) -> Self {
        Self { text, place: 0 }
    }

    pub(super) fn at_end(&self) -> bool {
        self.place >= self.text.len()
    }

    fn at(&self, ahead: usize) -> Option<char> {
        self.text.get(self.place + ahead).copied()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.at(0)
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let character = self.peek();
        self.place += 1;
        character
    }

    pub(super) fn skip_blank(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.place += 1;
        }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'t [char] {
        self.text.get(self.place..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> String {
        self.text.get(start..self.place.min(self.text.len())).unwrap_or_default().iter().collect()
    }

    /// Reads to the end of the next such character; whether there was one.
    pub(super) fn skip_past(&mut self, end: char) -> bool {
        while let Some(character) = self.take() {
            if character == end {
                return true;
            }
        }
        false
    }

    /// A name; empty if there is none.
    pub(super) fn name(&mut self) -> String {
        self.skip_blank();
        let start = self.place;
        while self.peek().is_some_and(is_word) {
            self.place += 1;
        }
        self.since(start)
    }

    /// A tag's name; `#` is one.
    pub(super) fn tag_name(&mut self) -> String {
        self.skip_blank();
        if self.peek() == Some('#') {
            self.place += 1;
            return "#".to_owned();
        }
        self.name()
    }

    /// Takes a text if it stands here, as a whole word if it is one.
    fn literal(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let here = text.chars().enumerate().all(|(ahead, wanted)| self.at(ahead) == Some(wanted));
        let whole = !text.ends_with(is_word) || !self.at(length).is_some_and(is_word);
        if here && whole {
            self.place += length;
        }
        here && whole
    }

    /// A value with its filters, to the end.
    pub(super) fn filtered(&mut self) -> Result<Filtered, String> {
        let initial = self.expression()?;
        if initial.0.is_empty() {
            return Err(format!("a value is expected at `{}`", self.snippet()));
        }
        let mut filters = Vec::new();
        while let Some(filter) = self.filter()? {
            filters.push(filter);
        }
        Ok(Filtered { initial, filters })
    }

    fn snippet(&self) -> String {
        self.rest().iter().take(32).collect()
    }

    fn expression(&mut self) -> Result<Expression, String> {
        let mut terms = Vec::new();
        let mut waiting: Vec<Operator> = Vec::new();
        while !self.at_end() {
            self.skip_blank();
            let operator = Operator::ALL.into_iter().find(|(text, _)| self.literal(text));
            if let Some((_, operator)) = operator {
                while let Some(last) =
                    waiting.pop_if(|last| last.precedence() > operator.precedence())
                {
                    terms.push(Term::Operator(last));
                }
                waiting.push(operator);
                continue;
            }
            match self.value()? {
                Some(operand) => terms.push(Term::Operand(operand)),
                None => break,
            }
        }
        terms.extend(waiting.into_iter().rev().map(Term::Operator));
        Ok(Expression(terms))
    }

    fn filter(&mut self) -> Result<Option<Call>, String> {
        self.skip_blank();
        if self.at_end() {
            return Ok(None);
        }
        if self.take() != Some('|') {
            return Err("`|` is expected before a filter".to_owned());
        }
        let name = self.name();
        if name.is_empty() {
            return if self.at_end() { Ok(None) } else { Err("a filter needs a name".to_owned()) };
        }
        let mut arguments = Vec::new();
        self.skip_blank();
        match self.peek() {
            Some(':') => loop {
                self.place += 1;
                arguments.extend(self.argument()?);
                self.skip_blank();
                match self.peek() {
                    Some(',') => {}
                    None | Some('|') => break,
                    Some(other) => return Err(format!("`{other}` is not expected in a filter")),
                }
            },
            None | Some('|') => {}
            Some(_) => return Err(format!("`:` is expected after the filter `{name}`")),
        }
        Ok(Some(Call { filter: Filter::new(&name), arguments }))
    }

    fn argument(&mut self) -> Result<Option<Argument>, String> {
        self.skip_blank();
        let start = self.place;
        let Some(value) = self.value()? else { return Ok(None) };
        let name = self.since(start);
        self.skip_blank();
        if self.peek() != Some(':') {
            return Ok(Some(Argument::Positional(value)));
        }
        self.place += 1;
        Ok(Some(Argument::Named(name, self.value()?)))
    }

    /// A value; `None` if there is none.
    pub(super) fn value(&mut self) -> Result<Option<Operand>, String> {
        self.skip_blank();
        let start = match self.constant() {
            Some(constant) => Some(constant),
            None => match self.range()? {
                Some(range) => Some(range),
                None => self.number(),
            },
        };
        let steps = self.steps(start.is_none())?;
        if steps.is_empty() {
            return Ok(start);
        }
        Ok(Some(Operand::Access { start: start.map(Box::new), steps }))
    }

    /// A path that starts with a variable, as `where` takes it; `None` if there is none.
    pub(super) fn variable(&mut self) -> Result<Option<Operand>, String> {
        self.skip_blank();
        let steps = self.steps(true)?;
        Ok((!steps.is_empty()).then_some(Operand::Access { start: None, steps }))
    }

    fn constant(&mut self) -> Option<Operand> {
        for (text, value) in [("true", true), ("false", false)] {
            if self.literal(text) {
                return Some(Operand::Constant(value.into()));
            }
        }
        if self.literal("nil") || self.literal("null") {
            return Some(Operand::Nil);
        }
        if self.literal("empty") {
            return Some(Operand::Empty);
        }
        if self.literal("blank") {
            return Some(Operand::Blank);
        }
        self.quoted().map(|text| Operand::Constant(text.into()))
    }

    fn steps(&mut self, variable: bool) -> Result<Vec<Operand>, String> {
        let mut steps = Vec::new();
        loop {
            if self.peek() == Some('[') {
                self.place += 1;
                let step = self.value()?.unwrap_or_else(|| Operand::Constant(Value::text("")));
                if !self.skip_past(']') {
                    return Err("`[` is not closed".to_owned());
                }
                steps.push(step);
                continue;
            }
            if variable && steps.is_empty() {
                let name = self.name();
                if !name.is_empty() {
                    steps.push(Operand::Constant(name.into()));
                    continue;
                }
            }
            if self.peek() == Some('.') && self.at(1) != Some('.') {
                self.place += 1;
                let name = self.name();
                if !name.is_empty() {
                    steps.push(Operand::Constant(name.into()));
                    continue;
                }
            }
            return Ok(steps);
        }
    }

    fn number(&mut self) -> Option<Operand> {
        let mut length = usize::from(self.peek() == Some('-'));
        let (mut point, mut digits) = (false, false);
        loop {
            match self.at(length) {
                Some(digit) if digit.is_ascii_digit() => digits = true,
                Some('.') if self.at(length + 1) != Some('.') => {
                    if point || !digits {
                        return None;
                    }
                    point = true;
                }
                Some(_) | None => break,
            }
            length += 1;
        }
        if !digits || self.at(length).is_some_and(is_word) {
            return None;
        }
        let start = self.place;
        self.place += length;
        let number = number_of_text(&self.since(start)).map_or_else(undefined, value_of_f64);
        Some(Operand::Constant(number))
    }

    fn range(&mut self) -> Result<Option<Operand>, String> {
        if self.peek() != Some('(') {
            return Ok(None);
        }
        self.place += 1;
        let needs = || "a range is written `(1..3)`".to_owned();
        let low = self.value()?.ok_or_else(needs)?;
        self.skip_blank();
        if self.take() != Some('.') || self.take() != Some('.') {
            return Err(needs());
        }
        let high = self.value()?.ok_or_else(needs)?;
        self.skip_blank();
        if self.take() != Some(')') {
            return Err(needs());
        }
        Ok(Some(Operand::Range(Box::new(low), Box::new(high))))
    }

    /// Text in quotation marks, unescaped.
    pub(super) fn quoted(&mut self) -> Option<String> {
        self.skip_blank();
        let quote = self.peek().filter(|quote| matches!(quote, '"' | '\''))?;
        let start = self.place;
        self.place += 1;
        let mut escaped = false;
        while let Some(character) = self.peek() {
            self.place += 1;
            if character == quote && !escaped {
                break;
            }
            escaped = !escaped && character == '\\';
        }
        // A text that is not closed loses its last character, as in the reference.
        let inner = self.text.get(start + 1..(self.place - 1).max(start + 1));
        Some(unescape(inner.unwrap_or_default()))
    }
}

fn unescape(text: &[char]) -> String {
    let mut out = String::new();
    let mut rest = text.iter().copied().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let Some(next) = rest.peek().copied() else { break };
        let (radix, most) = match next {
            'u' => {
                rest.next();
                (16, 4)
            }
            '0'..='7' => (8, 3),
            other => {
                rest.next();
                out.push(match other {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    other => other,
                });
                continue;
            }
        };
        let mut code = 0;
        for _ in 0..most {
            let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(radix)) else { break };
            code = code * radix + digit;
            rest.next();
        }
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    out
}
