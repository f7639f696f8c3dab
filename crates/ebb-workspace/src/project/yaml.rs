//! YAML to nodes with places.

use std::{fmt, sync::Arc};

use ebb_core::{
    Code, Failure,
    config::{Entry, Kind, Node, Place, Problem, Text},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;
use serde_saphyr::{Error, Location, Spanned};

/// Parses a file. An empty one is a table without keys.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Problem> {
    let file: Arc<str> = file.into();
    let whole = || Place { file: Arc::clone(&file), line: 1, column: 1 };
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    match serde_saphyr::from_str_with_options::<Option<Spanned<Yaml>>>(text, options) {
        Ok(Some(Spanned { value: Yaml::Null, .. }) | None) => {
            Ok(Node { place: whole(), kind: Kind::Table(Vec::new()) })
        }
        Ok(Some(yaml)) => Ok(node(yaml, &file)),
        Err(error) => {
            let place = error.location().map_or_else(whole, |location| place(location, &file));
            Err(Problem::at(place, failure(&error)))
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's own errors, many and growing")]
fn failure(error: &Error) -> Failure {
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or_default();
            Failure::new(Code::ConfigDuplicate, format!("the key `{key}` is given twice here"))
                .help("Remove one of them, or put both values under one key")
        }
        Error::MultipleDocuments { .. } => {
            Failure::new(Code::ConfigSyntax, "the file has a second document after `---`")
                .help("Give it a file of its own")
        }
        Error::NonFiniteFloat { value, .. } => {
            Failure::new(Code::ConfigValue, format!("`{value}` is not a finite number"))
        }
        other => {
            let text = other.to_string();
            let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
            Failure::new(Code::ConfigSyntax, format!("the file is not valid YAML: {what}"))
        }
    }
}

fn place(location: Location, file: &Arc<str>) -> Place {
    Place { file: Arc::clone(file), line: location.line(), column: location.column() }
}

fn node(Spanned { value, referenced, .. }: Spanned<Yaml>, file: &Arc<str>) -> Node {
    let kind = match value {
        Yaml::Null => Kind::Null,
        Yaml::Boolean(truth) => Kind::Boolean(truth),
        Yaml::Number(number) => Kind::Number(number),
        Yaml::Text(text) => Kind::Text(Text::new(text)),
        Yaml::List(items) => Kind::List(items.into_iter().map(|item| node(item, file)).collect()),
        Yaml::Table(entries) => {
            let entry = |(key, value): (Spanned<String>, _)| Entry {
                place: place(key.referenced, file),
                key: key.value,
                value: node(value, file),
            };
            Kind::Table(entries.into_iter().map(entry).collect())
        }
    };
    Node { place: place(referenced, file), kind }
}

/// A value as the parser gives it.
enum Yaml {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Self>>),
    Table(Vec<(Spanned<String>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyYaml)
    }
}

struct AnyYaml;

impl<'de> Visitor<'de> for AnyYaml {
    type Value = Yaml;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        Yaml::deserialize(deserializer)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Yaml, E> {
        Ok(Yaml::Boolean(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Yaml, E> {
        Ok(Yaml::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Yaml, E> {
        Ok(Yaml::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Yaml, E> {
        let number = Number::from_f64(number);
        number.map(Yaml::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Yaml, E> {
        Ok(Yaml::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Yaml::Table(entries))
    }
}
