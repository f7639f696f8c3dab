//! Checks a file against the schema: unknown and missing keys, types, allowed values.
//!
//! It finds everything at once and knows each place, which a deserializer does not. It understands
//! the part of JSON Schema that the types in `form` need.

use std::str::FromStr;

use serde_json::Value;

use super::{Entry, Kind, Node, Place, Problem, duration::Length, range::Range, reference::Text};
use crate::{
    Code, Failure,
    schedule::{FullHour, Pattern, Zone},
    suggest,
};

/// A problem and the keys that lead to it from the top of the file.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) path: Vec<String>,
    pub(super) problem: Problem,
}

/// Everything in a file that does not fit the schema.
pub(super) fn check(schema: &Value, file: &Node) -> Vec<Finding> {
    let mut walk = Walk { path: Vec::new(), findings: Vec::new() };
    walk.node(schema, file);
    walk.findings
}

struct Walk {
    path: Vec<String>,
    findings: Vec<Finding>,
}

impl Walk {
    fn report(&mut self, place: &Place, failure: Failure) {
        let problem = Problem::at(place.clone(), failure);
        self.findings.push(Finding { path: self.path.clone(), problem });
    }

    fn refuse(&mut self, place: &Place, message: String, help: Option<String>) {
        let failure = Failure::new(Code::ConfigValue, message);
        self.report(place, help.into_iter().fold(failure, Failure::help));
    }

    /// The value that is looked at, as the subject of a sentence.
    fn subject(&self) -> String {
        if self.path.is_empty() {
            "a file".to_owned()
        } else {
            format!("`{}`", self.path.join("."))
        }
    }

    fn inside(&mut self, key: impl Into<String>, look: impl FnOnce(&mut Self)) {
        self.path.push(key.into());
        look(self);
        self.path.pop();
    }

    fn node(&mut self, schema: &Value, node: &Node) {
        let mut branches = Vec::new();
        flatten(schema, &mut branches);
        let fitting: Vec<&Value> =
            branches.iter().copied().filter(|branch| takes(branch, &node.kind)).collect();
        let Some(first) = fitting.first() else {
            return self.wrong_type(schema, &branches, node);
        };
        match &node.kind {
            Kind::Null | Kind::Boolean(_) => {}
            Kind::Number(number) => self.number(first, number, &node.place),
            Kind::Text(text) => self.text(schema, &fitting, text, &node.place),
            Kind::List(items) => self.list(first, items, &node.place),
            Kind::Table(entries) => {
                // Of several forms, the one that is meant has most of the keys that are there.
                let known = |branch: &Value| {
                    let keys = &at(branch, "properties");
                    entries.iter().filter(|entry| keys.get(&entry.key).is_some()).count()
                };
                let most = fitting.iter().map(|branch| known(branch)).max();
                let meant = fitting.iter().find(|branch| Some(known(branch)) == most);
                self.table(meant.unwrap_or(first), entries, &node.place);
            }
        }
    }

    fn wrong_type(&mut self, schema: &Value, branches: &[&Value], node: &Node) {
        let mut nouns: Vec<&str> = branches
            .iter()
            .flat_map(|branch| types(branch))
            .filter_map(|name| match name {
                "boolean" => Some("true or false"),
                "integer" => Some("a whole number"),
                "number" => Some("a number"),
                "string" => Some("text"),
                "array" => Some("a list"),
                "object" => Some("keys and values"),
                _ => None,
            })
            .collect();
        nouns.dedup();
        let help = match (&node.kind, nouns.as_slice()) {
            (_, [_, _, ..]) => forms(schema),
            (Kind::Boolean(_) | Kind::Number(_), ["text"]) => Some("Put the value in quotes"),
            (_, ["true or false"]) => Some("Write `true` or `false`, without quotes"),
            (Kind::Text(_), ["a whole number" | "a number"]) => {
                Some("Write the number without quotes")
            }
            (_, ["a list"]) => Some("Write a list, such as `[one, two]`"),
            (_, ["keys and values"]) => Some("Write `key: value`, each on a line of its own"),
            _ => None,
        };
        let words: Vec<&str> = branches.iter().flat_map(|branch| words(branch)).collect();
        let help = match help {
            None if !words.is_empty() => Some(suggest::allowed("", words)),
            help => help.map(str::to_owned),
        };
        let message = format!(
            "{} must be {}, but is {}",
            self.subject(),
            nouns.join(" or "),
            node.kind.noun()
        );
        self.refuse(&node.place, message, help);
    }

    fn number(&mut self, schema: &Value, number: &serde_json::Number, place: &Place) {
        let value = number.as_f64();
        let below = |bound: &Value| value < bound.as_f64();
        let (least, most) = (schema.get("minimum"), schema.get("maximum"));
        if least.is_some_and(below) || most.is_some_and(|most| value > most.as_f64()) {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, most) => format!("at most {}", most.unwrap_or(&Value::Null)),
            };
            let message = format!("{} must be {range}, but is `{number}`", self.subject());
            self.refuse(place, message, Some(format!("Allowed: {range}")));
        }
    }

    fn text(&mut self, schema: &Value, branches: &[&Value], text: &Text, place: &Place) {
        let Some(value) = text.value() else { return };
        let shown = if value == text.written() {
            format!("`{value}`")
        } else {
            format!("the value of `{}`", text.written())
        };
        let words: Vec<&str> = branches.iter().flat_map(|branch| words(branch)).collect();
        if !words.is_empty() {
            if !words.contains(&value) {
                // Only what is written may be echoed, a suggestion included.
                let help = forms(schema)
                    .map_or_else(|| suggest::allowed(text.written(), words), str::to_owned);
                self.refuse(place, format!("{} cannot be {shown}", self.subject()), Some(help));
            }
            return;
        }
        let Some(branch) = branches.first() else { return };
        if value.is_empty() && at(branch, "minLength").as_u64() > Some(0) {
            let help = "Give a value, or remove the key".to_owned();
            self.refuse(place, format!("{} is empty", self.subject()), Some(help));
        } else if let Err(help) = follows(at(branch, "format").as_str(), value) {
            self.refuse(place, format!("{} cannot be {shown}", self.subject()), Some(help));
        }
    }

    fn list(&mut self, schema: &Value, items: &[Node], place: &Place) {
        if items.is_empty() && at(schema, "minItems").as_u64() > Some(0) {
            let help = "Give at least one value".to_owned();
            self.refuse(place, format!("{} is empty", self.subject()), Some(help));
        }
        if let Some(of_items) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.inside(index.to_string(), |walk| walk.node(of_items, item));
            }
        }
    }

    fn table(&mut self, schema: &Value, entries: &[Entry], place: &Place) {
        let properties = at(schema, "properties").as_object();
        let keys = || properties.iter().flat_map(|properties| properties.keys());
        for Entry { key, place, value } in entries {
            let known = properties.and_then(|properties| properties.get(key));
            match known.or_else(|| schema.get("additionalProperties")) {
                Some(Value::Bool(false)) => {
                    let subject = match self.subject() {
                        whole if self.path.is_empty() => format!("the top of {whole}"),
                        subject => subject,
                    };
                    let failure =
                        Failure::new(Code::ConfigKey, format!("{subject} has no key `{key}`"))
                            .help(suggest::allowed(key, keys().map(String::as_str)));
                    self.inside(key, |walk| walk.report(place, failure));
                }
                Some(Value::Bool(true)) | None => {}
                Some(schema) => self.inside(key, |walk| walk.node(schema, value)),
            }
        }
        let required = at(schema, "required").as_array().into_iter().flatten();
        for key in required.filter_map(Value::as_str) {
            if entries.iter().all(|entry| entry.key != key) {
                let what = at(at(at(schema, "properties"), key), "description")
                    .as_str()
                    .unwrap_or_default();
                let message = format!("{} lacks the key `{key}`", self.subject());
                self.refuse(
                    place,
                    message,
                    Some(format!("Add `{key}`. {}", what.trim_end_matches('.'))),
                );
            }
        }
    }
}

/// The value of a key; null where there is none.
fn at<'a>(schema: &'a Value, key: &str) -> &'a Value {
    schema.get(key).unwrap_or(&Value::Null)
}

/// The alternatives of a schema without further alternatives in them.
fn flatten<'a>(schema: &'a Value, into: &mut Vec<&'a Value>) {
    match at(schema, "anyOf").as_array().or_else(|| at(schema, "oneOf").as_array()) {
        Some(branches) => branches.iter().for_each(|branch| flatten(branch, into)),
        None => into.push(schema),
    }
}

/// The help of a value that has several forms, as its type describes them.
fn forms(schema: &Value) -> Option<&str> {
    let branches = at(schema, "anyOf").as_array()?;
    match branches.as_slice() {
        [optional, null] if at(null, "type") == "null" => forms(optional),
        _ => at(schema, "description").as_str(),
    }
}

fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let one = at(schema, "type").as_str();
    one.into_iter()
        .chain(at(schema, "type").as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn takes(schema: &Value, kind: &Kind) -> bool {
    types(schema).any(|name| match kind {
        Kind::Null => name == "null",
        Kind::Boolean(_) => name == "boolean",
        Kind::Number(number) => name == "number" || name == "integer" && !number.is_f64(),
        Kind::Text(_) => name == "string",
        Kind::List(_) => name == "array",
        Kind::Table(_) => name == "object",
    })
}

/// The words that a text is limited to; none if it is free.
fn words(schema: &Value) -> impl Iterator<Item = &str> {
    let list = at(schema, "enum").as_array().into_iter().flatten();
    schema.get("const").into_iter().chain(list).filter_map(Value::as_str)
}

/// Whether a text can be read as its format says; the error says what is allowed.
fn follows(format: Option<&str>, text: &str) -> Result<(), String> {
    match format {
        Some("cron") => Pattern::from_str(text).map(drop),
        Some("full-hour") => FullHour::from_str(text).map(drop),
        Some("time-zone") => Zone::from_str(text).map(drop),
        Some("address-range") => Range::from_str(text).map(drop),
        Some("length") => Length::from_str(text).map(drop),
        Some(_) | None => Ok(()),
    }
}
