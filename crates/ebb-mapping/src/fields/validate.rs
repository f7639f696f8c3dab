//! From what a mapping gave to what an action gets.

use std::fmt;

use ebb_core::{Object, Value};

use super::{
    Format,
    coerce::{coerce, same},
    schema::{ObjectShape, Schema, Shape, Type},
};
use crate::script::is_index;

/// Why a payload does not fit, for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, such as `traits.email` or `products[0].price`; empty for the whole payload.
    pub path: String,
    /// What must be the case, as a whole sentence with the field and the value.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// The key that keeps its value, whatever the fields say.
const EXEMPT: &str = "dynamicAuthSettings";

/// The most characters of a value that a message shows.
const SHOWN: usize = 100;

impl Schema {
    /// Checks the payload of a record that is sent alone: makes its values fit the fields' types,
    /// removes unknown keys, removes empty values where they have no meaning.
    pub fn validate<'a>(&self, payload: Value<'a>) -> Result<Value<'a>, Vec<FieldError>> {
        self.check(payload, true)
    }

    /// As [`Self::validate`], for a record that is sent together with others: there, empty text
    /// stays where text is allowed.
    pub fn validate_in_batch<'a>(&self, payload: Value<'a>) -> Result<Value<'a>, Vec<FieldError>> {
        self.check(payload, false)
    }

    fn check<'a>(&self, mut payload: Value<'a>, alone: bool) -> Result<Value<'a>, Vec<FieldError>> {
        if self.any {
            return Ok(payload);
        }
        remove_empty(&mut payload, &self.root, alone);
        let exempt = match &payload {
            Value::Object(object) => object.get(EXEMPT).cloned(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        };
        if let (Value::Object(object), Some(shape)) = (&mut payload, &self.root.object) {
            make_lists(object, shape);
        }
        let mut check = Check::default();
        check.value(&mut payload, &self.root);
        if let (Value::Object(object), Some(exempt)) = (&mut payload, exempt) {
            object.insert(EXEMPT, exempt);
        }
        if check.errors.is_empty() { Ok(payload) } else { Err(check.errors) }
    }
}

/// Removes what is empty and not allowed to be; at the top of a payload all empty text.
fn remove_empty(value: &mut Value<'_>, shape: &Shape, top: bool) {
    match value {
        Value::Array(items) => {
            if let Some(shape) = &shape.items {
                items.retain(|item| !is_empty(item, shape));
            }
        }
        Value::Object(object) => {
            if let Some(shape) = &shape.object {
                object.retain(|key, value| {
                    if let Some(shape) = shape.property(key) {
                        remove_empty(value, shape, false);
                        if is_empty(value, shape) {
                            return false;
                        }
                    }
                    !(top && value.as_str() == Some(""))
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_empty(value: &Value<'_>, shape: &Shape) -> bool {
    match value {
        Value::Null => !shape.allows(Type::Null),
        Value::String(text) => text.is_empty() && !shape.allows(Type::String),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Makes lists of single values, objects too, where a field takes several.
fn make_lists(object: &mut Object<'_>, shape: &ObjectShape) {
    for (key, value) in object.iter_mut() {
        let list = shape.property(key).is_some_and(|shape| shape.allows(Type::Array));
        if list && !matches!(value, Value::Array(_) | Value::Null) {
            *value = vec![std::mem::take(value)].into();
        }
    }
}

#[derive(Default)]
struct Check<'s> {
    path: Vec<Step<'s>>,
    errors: Vec<FieldError>,
}

/// A step on the way to a value.
#[derive(Clone, Copy)]
enum Step<'s> {
    Key(&'s str),
    Place(usize),
}

impl<'s> Check<'s> {
    fn value(&mut self, value: &mut Value<'_>, shape: &'s Shape) {
        if !coerce(value, &shape.types) {
            self.refuse(&format!("must be {}", names(&shape.types)), value);
            return;
        }
        if let Some(choices) = &shape.choices
            && !choices.iter().any(|choice| same(choice, value))
        {
            let choices: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
            self.refuse(&format!("must be one of {}", choices.join(", ")), value);
        }
        match value {
            Value::Number(number) => {
                let number = number.as_f64();
                let (least, most) = shape.range;
                if let Some(least) = least.filter(|least| number < *least) {
                    self.refuse(&format!("must be at least {least}"), value);
                } else if let Some(most) = most.filter(|most| number > *most) {
                    self.refuse(&format!("must be at most {most}"), value);
                }
            }
            Value::String(text) => {
                #[expect(clippy::cast_precision_loss, reason = "no text has 2^53 characters")]
                let characters = text.chars().count() as f64;
                let (least, most) = shape.length;
                let format = shape.format.filter(|format| !format.accepts(text));
                if let Some(least) = least.filter(|least| characters < *least) {
                    self.refuse(&format!("must have at least {least} characters"), value);
                } else if let Some(most) = most.filter(|most| characters > *most) {
                    self.refuse(&format!("must have at most {most} characters"), value);
                } else if let Some(format) = format {
                    self.refuse(&format!("must be {}", format.meaning()), value);
                }
            }
            Value::Array(items) => {
                if let Some(shape) = &shape.items {
                    for (place, item) in items.iter_mut().enumerate() {
                        self.path.push(Step::Place(place));
                        self.value(item, shape);
                        self.path.pop();
                    }
                }
            }
            Value::Object(object) => {
                if let Some(shape) = &shape.object {
                    self.object(object, shape);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, object: &mut Object<'_>, shape: &'s ObjectShape) {
        for rule in &shape.rules {
            if let Some(missing) = rule.missing(object) {
                self.missing(&missing);
            }
        }
        for key in &shape.required {
            if object.get(key).is_none() {
                self.missing(key);
            }
        }
        if !shape.keep_unknown {
            object.retain(|key, _| shape.property(key).is_some());
        }
        for (key, value) in object.iter_mut() {
            if let Some((key, shape)) = shape.entry(key) {
                self.path.push(Step::Key(key));
                self.value(value, shape);
                self.path.pop();
            }
        }
    }

    fn missing(&mut self, key: &str) {
        let path = path(self.path.iter().copied().chain([Step::Key(key)]));
        self.add(path, "is required, but the mapping gave no value");
    }

    fn refuse(&mut self, expectation: &str, value: &Value<'_>) {
        let path = path(self.path.iter().copied());
        self.add(path, &format!("{expectation}, but is `{}`", shown(value)));
    }

    fn add(&mut self, path: String, lack: &str) {
        let place = if path.is_empty() { "the payload" } else { &path };
        let message = format!("`{place}` {lack}");
        // A conditional and a plain rule may miss the same key.
        if !self.errors.iter().any(|error| error.message == message) {
            self.errors.push(FieldError { path, message });
        }
    }
}

/// The steps as text, such as `products[0].price`.
fn path<'s>(steps: impl Iterator<Item = Step<'s>>) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Place(place) => path.extend(["[", &place.to_string(), "]"]),
            Step::Key(key) if is_index(key).is_some() => path.extend(["[", key, "]"]),
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
    }
    path
}

fn shown(value: &Value<'_>) -> String {
    let text = value.to_json();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn names(types: &[Type]) -> String {
    let name = |kind: &Type| match kind {
        Type::String => "text",
        Type::Number => "a number",
        Type::Integer => "a whole number",
        Type::Boolean => "true or false",
        Type::Null => "null",
        Type::Array => "a list",
        Type::Object => "an object",
    };
    types.iter().map(name).collect::<Vec<_>>().join(" or ")
}

impl Format {
    fn meaning(self) -> &'static str {
        match self {
            Self::Text | Self::Password => "text",
            Self::Date => "a date such as `2024-05-31`",
            Self::Time => "a time such as `12:30:00Z`",
            Self::DateTime => "a date and time such as `2024-05-31T12:30:00Z`",
            Self::DateLike => "a date, or seconds since 1970",
            Self::Email => "an e-mail address",
            Self::Hostname => "a host name",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Uri => "an address with its scheme, such as `https://example.com`",
            Self::UriReference => "an address",
            Self::Uuid => "a UUID",
        }
    }
}
