//! A tree of constants and leaves, as a request's parts are written in a manifest.

use std::borrow::Cow;

use ebb_core::{Object, Value};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use super::{Expression, Names, Scope, expression::Found, text_of};

/// A tree as the manifest has it, keys in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    /// A number or a boolean.
    Plain(Value<'static>),
    /// Text, maybe with expressions.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Keys and trees. A key that starts with `...` spreads its object's keys here.
    Table(Vec<(String, Self)>),
}

impl Tree {
    /// All texts of the tree.
    pub(crate) fn texts(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Plain(_) => Box::new(std::iter::empty()),
            Self::Text(text) => Box::new(std::iter::once(text.as_str())),
            Self::List(items) => Box::new(items.iter().flat_map(Self::texts)),
            Self::Table(entries) => Box::new(entries.iter().flat_map(|(_, tree)| tree.texts())),
        }
    }
}

/// A compiled tree.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A leaf that is wholly one expression, or a constant.
    Leaf(Expression),
    /// Text with expressions in it; undefined as soon as one of them is.
    Text(Vec<Piece>),
    /// A list; what is undefined is left out.
    List(Vec<Self>),
    /// An object; what is undefined is left out.
    Table(Vec<(Key, Self)>),
}

/// A piece of mixed text.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// As it stands.
    Plain(String),
    /// Worked out.
    Filled(Expression),
}

/// Where an entry of a table goes.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    /// Under this name.
    Named(String),
    /// Its own keys go here.
    Spread,
}

impl Key {
    /// The name, unless it is a spread.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Spread => None,
        }
    }
}

impl Node {
    /// Compiles a tree; `place` leads the error's sentence.
    pub(crate) fn compile(tree: &Tree, names: &Names, place: &str) -> Result<Self, String> {
        match tree {
            Tree::Plain(value) => Ok(Self::Leaf(Expression::Constant(value.clone()))),
            Tree::Text(text) => {
                Self::leaf(text, names).map_err(|reason| format!("`{place}`: {reason}"))
            }
            Tree::List(items) => {
                let items = items.iter().enumerate().map(|(number, item)| {
                    Self::compile(item, names, &format!("{place}[{number}]"))
                });
                Ok(Self::List(items.collect::<Result<_, _>>()?))
            }
            Tree::Table(entries) => {
                let entries = entries.iter().map(|(key, entry)| {
                    let place = format!("{place}.{key}");
                    let entry = Self::compile(entry, names, &place)?;
                    let key =
                        if key.starts_with("...") { Key::Spread } else { Key::Named(key.clone()) };
                    Ok((key, entry))
                });
                Ok(Self::Table(entries.collect::<Result<_, String>>()?))
            }
        }
    }

    /// Compiles one text.
    pub(crate) fn leaf(text: &str, names: &Names) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (source, after) = after.split_once("}}").ok_or("`{{` without `}}`")?;
            if !before.is_empty() {
                pieces.push(Piece::Plain(before.to_owned()));
            }
            pieces.push(Piece::Filled(Expression::compile(source, names)?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        if let [Piece::Filled(_)] = pieces.as_slice()
            && let Some(Piece::Filled(expression)) = pieces.pop()
        {
            return Ok(Self::Leaf(expression));
        }
        Ok(Self::fold_text(pieces))
    }

    /// Text without anything to fill in is a constant.
    fn fold_text(pieces: Vec<Piece>) -> Self {
        let mut text = String::new();
        for piece in &pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Filled(Expression::Constant(value)) => text.push_str(&text_of(value)),
                Piece::Filled(_) => return Self::Text(pieces),
            }
        }
        Self::Leaf(Expression::Constant(text.into()))
    }

    /// The constant text, if this is one.
    pub(crate) fn constant_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Leaf(expression) => expression.constant().map(text_of),
            Self::Text(_) | Self::List(_) | Self::Table(_) => None,
        }
    }

    /// Whether no record is needed to work the tree out.
    pub(crate) fn is_constant(&self) -> bool {
        match self {
            Self::Leaf(expression) => expression.is_constant(),
            Self::Text(_) => false,
            Self::List(items) => items.iter().all(Self::is_constant),
            Self::Table(entries) => entries.iter().all(|(_, entry)| entry.is_constant()),
        }
    }

    /// The tree's value for a record; `None` is undefined.
    pub(crate) fn evaluate<'v>(&'v self, scope: Scope<'v>) -> Option<Value<'v>> {
        self.find(scope).map(Found::into_value)
    }

    /// Appends the value as JSON; `false` if it is undefined, and then nothing is written.
    pub(crate) fn write(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> bool {
        match self.find(scope) {
            Some(found) => {
                found.get().write_json(out);
                true
            }
            None => false,
        }
    }

    fn find<'v>(&'v self, scope: Scope<'v>) -> Option<Found<'v>> {
        match self {
            Self::Leaf(expression) => expression.evaluate(scope),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Filled(expression) => {
                            text.push_str(&text_of(expression.evaluate(scope)?.get()));
                        }
                    }
                }
                Some(Found::Made(text.into()))
            }
            Self::List(items) => {
                let items = items.iter().filter_map(|item| item.evaluate(scope));
                Some(Found::Made(Value::Array(items.collect())))
            }
            Self::Table(entries) => {
                let mut object = Object::with_capacity(entries.len());
                let mut spread = false;
                for (key, entry) in entries {
                    match (key, entry.evaluate(scope)) {
                        (Key::Spread, Some(Value::Object(inner))) => {
                            spread = true;
                            for (name, value) in inner {
                                object.insert(name, value);
                            }
                        }
                        // A spread object may have brought the same key before.
                        (Key::Named(name), Some(value)) if spread => {
                            object.insert(name.as_str(), value);
                        }
                        (Key::Named(name), Some(value)) => object.push(name.as_str(), value),
                        (Key::Named(name), None) if spread => {
                            object.remove(name);
                        }
                        (Key::Spread, _) | (Key::Named(_), None) => {}
                    }
                }
                Some(Found::Made(object.into()))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Tree;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("text, a number, a boolean, a list or a table")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Plain(value.into()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Plain(value.into()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Plain(value.into()))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(Tree::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Tree::Table(entries))
            }
        }

        deserializer.deserialize_any(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Payload, Run};

    fn names() -> Names {
        Names {
            fields: Some(vec!["id".to_owned(), "traits".to_owned()]),
            hidden: vec!["key".to_owned()],
            ..Names::default()
        }
    }

    fn shown(tree: &str, payload: &str) -> String {
        let tree: Tree = toml::from_str(tree).unwrap();
        let node = Node::compile(&tree, &names(), "item").unwrap();
        let payload = Value::from_json(payload).unwrap();
        let run = Run::fixed("2026-01-15T12:00:00Z".parse().unwrap(), 7);
        let mut out = Vec::new();
        node.write(Scope { field: Payload::of(&payload), run: &run }, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_whole_leaf_keeps_its_type_and_what_is_missing_is_left_out() {
        let tree =
            "id = '{{ field.id }}'\nnone = '{{ field.traits.a.b }}'\ntext = 'x-{{ field.id }}'";
        assert_eq!(shown(tree, r#"{"id": 42}"#), r#"{"id":42,"text":"x-42"}"#);
        assert_eq!(shown(tree, r#"{"id": null}"#), r#"{"id":null,"text":"x-null"}"#);
        assert_eq!(shown(tree, "{}"), "{}");
    }

    #[test]
    fn a_spread_is_overruled_by_what_comes_after_it() {
        let tree = "a = 1\n'...' = '{{ field.traits }}'\nb = '{{ field.id }}'";
        assert_eq!(shown(tree, r#"{"traits": {"a": 2, "b": 3, "c": 4}}"#), r#"{"a":2,"c":4}"#);
        assert_eq!(shown(tree, r#"{"id": 5, "traits": {"b": 3}}"#), r#"{"a":1,"b":5}"#);
    }

    #[test]
    fn wrong_names_secrets_and_control_flow_are_found_when_compiling() {
        let error = |leaf: &str| Node::leaf(leaf, &names()).unwrap_err();
        assert!(error("{{ field.idd }}").contains("Did you mean `id`?"));
        assert!(error("{{ settings.key }}").contains("secret"));
        assert!(error("{{ field.id if field.id else 1 }}").contains("nothing else"));
        assert!(error("{{ field.id | lowr }}").contains("Did you mean `lower`?"));
        assert!(error("{{ field.id").contains("without"));
        assert!(error("{{ item }}").contains("not declared"));
    }
}
