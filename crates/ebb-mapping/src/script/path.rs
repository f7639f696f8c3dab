//! Paths into values: `$.a.list[0]["a key"]`.

use ebb_core::Value;

use super::{is_index, is_truthy, undefined, units};

/// The steps of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Box<[Box<str>]>);

impl Path {
    /// Reads a path as it stands in a template.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "." {
            return Self(Box::default());
        }
        let mut steps: Vec<String> = Vec::new();
        let mut step = String::new();
        let mut before = None;
        let mut rest = text.chars().peekable();
        let quote_or_digit =
            |character: char| matches!(character, '"' | '\'') || character.is_ascii_digit();
        while let Some(character) = rest.next() {
            let ends = match character {
                '.' => true,
                '[' => rest.peek().copied().is_some_and(quote_or_digit),
                ']' => before.is_some_and(quote_or_digit),
                _ => false,
            };
            before = Some(character);
            if ends {
                if character == ']' {
                    while rest.next_if_eq(&']').is_some() {}
                }
                steps.push(std::mem::take(&mut step));
            } else {
                step.push(character);
            }
        }
        steps.push(step);
        steps
            .into_iter()
            .filter(|step| !step.is_empty())
            .map(|step| step.replace(['"', '\''], "").into_boxed_str())
            .collect()
    }

    /// Reads a path as `@path` gives it: its first `$.` stands for the root.
    pub(crate) fn of_directive(text: &str) -> Self {
        Self::parse(&text.replacen("$.", "", 1))
    }

    /// The steps in order.
    pub(crate) fn steps(&self) -> &[Box<str>] {
        &self.0
    }

    /// What lies at the path.
    pub(crate) fn of<'v>(&self, root: &'v Value<'v>) -> Value<'v> {
        walk(&self.0, root)
    }
}

impl FromIterator<Box<str>> for Path {
    fn from_iter<I: IntoIterator<Item = Box<str>>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

/// Follows steps; where a step meets a value that counts as false, that value is the result.
pub(crate) fn walk<'v>(steps: &[Box<str>], value: &'v Value<'v>) -> Value<'v> {
    let Some((step, rest)) = steps.split_first() else { return value.borrowed() };
    if !is_truthy(value) {
        return value.borrowed();
    }
    match value {
        Value::Object(object) => match object.get(step) {
            Some(value) => walk(rest, value),
            None => undefined(),
        },
        Value::Array(items) if &**step == "length" => go_on(rest, length(items.len())),
        Value::Array(items) => match is_index(step).and_then(|index| items.get(index as usize)) {
            Some(item) => walk(rest, item),
            None => undefined(),
        },
        Value::String(text) if &**step == "length" => go_on(rest, length(units(text))),
        Value::String(text) => {
            let unit = is_index(step).and_then(|index| text.encode_utf16().nth(index as usize));
            match unit {
                // A half of a surrogate pair is no text on its own.
                Some(unit) => go_on(
                    rest,
                    char::from_u32(u32::from(unit))
                        .unwrap_or(char::REPLACEMENT_CHARACTER)
                        .to_string()
                        .into(),
                ),
                None => undefined(),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => undefined(),
    }
}

fn go_on(steps: &[Box<str>], value: Value<'static>) -> Value<'static> {
    if steps.is_empty() { value } else { walk(steps, &value).into_owned() }
}

fn length(units: usize) -> Value<'static> {
    i64::try_from(units).unwrap_or(i64::MAX).into()
}
