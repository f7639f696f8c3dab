//! A configuration file as a tree of nodes, each with its place.

use serde_json::{Map, Number, Value};

use super::{Place, reference::Text};

/// A value of a configuration file and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value begins.
    pub place: Place,
    /// The value.
    pub kind: Kind,
}

/// What a node holds. `Debug` shows texts as they are written, never a resolved secret.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// Keys and values.
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Node,
}

impl Kind {
    /// What it is, in a sentence.
    pub(super) const fn noun(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "keys and values",
        }
    }
}

impl Node {
    /// A value that comes from no file. Each place names the path of its value, such as
    /// `models.users.id`.
    pub fn from_value(path: &str, value: &Value) -> Self {
        let join =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(truth) => Kind::Boolean(*truth),
            Value::Number(number) => Kind::Number(number.clone()),
            Value::String(text) => Kind::Text(Text::new(text.as_str())),
            Value::Array(items) => {
                let item = |(index, item): (usize, &Value)| {
                    Self::from_value(&join(&index.to_string()), item)
                };
                Kind::List(items.iter().enumerate().map(item).collect())
            }
            Value::Object(entries) => {
                let entry = |(key, value): (&String, &Value)| {
                    let path = join(key);
                    let place = Place::file(path.as_str());
                    Entry { key: key.clone(), place, value: Self::from_value(&path, value) }
                };
                Kind::Table(entries.iter().map(entry).collect())
            }
        };
        Self { place: Place::file(path), kind }
    }

    /// The entries of a table; none if it is something else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Table(entries) => entries,
            Kind::Null | Kind::Boolean(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => &[],
        }
    }

    /// The entry of a key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text of a key.
    pub(super) fn text(&self, key: &str) -> Option<&Text> {
        match &self.entry(key)?.value.kind {
            Kind::Text(text) => Some(text),
            Kind::Null | Kind::Boolean(_) | Kind::Number(_) | Kind::List(_) | Kind::Table(_) => {
                None
            }
        }
    }

    /// Where the value of a key stands, or else the node itself.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entry(key).map_or(&self.place, |entry| &entry.value.place).clone()
    }

    /// The value without places, texts resolved where they are.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Boolean(truth) => (*truth).into(),
            Kind::Number(number) => number.clone().into(),
            Kind::Text(text) => text.value().unwrap_or_else(|| text.written()).into(),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Table(_) => self.to_object().into(),
        }
    }

    /// The entries without places; empty if it is no table.
    pub(super) fn to_object(&self) -> Map<String, Value> {
        self.entries().iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect()
    }

    /// Whether everything that its texts refer to is known.
    pub(super) fn is_resolved(&self) -> bool {
        match &self.kind {
            Kind::Null | Kind::Boolean(_) | Kind::Number(_) => true,
            Kind::Text(text) => text.value().is_some(),
            Kind::List(items) => items.iter().all(Self::is_resolved),
            Kind::Table(entries) => entries.iter().all(|entry| entry.value.is_resolved()),
        }
    }

    /// Calls `each` for every text.
    pub(super) fn each_text(&mut self, each: &mut impl FnMut(&mut Text, &Place)) {
        match &mut self.kind {
            Kind::Null | Kind::Boolean(_) | Kind::Number(_) => {}
            Kind::Text(text) => each(text, &self.place),
            Kind::List(items) => {
                for item in items {
                    item.each_text(each);
                }
            }
            Kind::Table(entries) => {
                for entry in entries {
                    entry.value.each_text(each);
                }
            }
        }
    }
}
