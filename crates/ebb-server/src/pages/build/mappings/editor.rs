//! The editor: a row per field of an action, and below it the values within.

use ebb_core::{Column, Failure};
use ebb_destination::ActionManifest;
use serde_json::{Map, Value};

use super::{
    function::Parameter,
    node::{Kind, Node, below},
};
use crate::{
    pages::build::{field::Choice, models::type_of, typed::Typed},
    prose::{Prose, prose},
};

/// A field of the action with its value.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) kind: String,
    pub(super) help: Vec<Prose>,
    pub(super) required: bool,
    /// Its own value first, then those within, each below the one that holds it.
    pub(super) values: Vec<Shown>,
    /// A column that would fit, where nothing is said.
    pub(super) suggestion: Option<String>,
    /// Whether something is said, or must be.
    pub(super) counts: bool,
}

/// A value, ready to be shown.
pub(super) struct Shown {
    pub(super) path: String,
    /// How deep within the field's own value it is; what is deeper than 4 is drawn like that.
    pub(super) depth: usize,
    pub(super) kind: Kind,
    pub(super) kinds: Vec<Choice>,
    pub(super) text: String,
    /// The columns, or the values that the action allows.
    pub(super) choices: Vec<Choice>,
    /// What holds if nothing is said; empty for nothing.
    pub(super) default: String,
    /// The name of a property, if it is one.
    pub(super) name: Option<String>,
    /// Whether it can be taken out of what holds it.
    pub(super) removable: bool,
    /// What people call it.
    pub(super) label: String,
    pub(super) problem: Option<Failure>,
}

/// What rows are made with.
pub(super) struct Frame<'e> {
    pub(super) action: &'e ActionManifest,
    pub(super) columns: &'e [Column],
    pub(super) fields: &'e [(String, Node)],
    pub(super) dismissed: &'e [String],
    /// What is wrong, by the paths of values.
    pub(super) problems: &'e [(String, Failure)],
}

/// The fields that people see, with what was typed for them.
pub(super) fn typed_fields(action: &ActionManifest, typed: &Typed) -> Vec<(String, Node)> {
    action.visible().map(|key| (key.to_owned(), Node::typed(typed, key))).collect()
}

/// The fields that people see, with what a mapping says of them.
pub(super) fn said_fields(
    action: &ActionManifest,
    fields: &Map<String, Value>,
    columns: &[String],
) -> Vec<(String, Node)> {
    action.visible().map(|key| (key.to_owned(), Node::of(fields.get(key), columns))).collect()
}

impl Frame<'_> {
    /// The rows: what must be said first.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.fields.iter().filter_map(|field| self.row(field)).collect();
        rows.sort_by_key(|row| (!row.required, !row.counts));
        rows
    }

    fn row(&self, (key, node): &(String, Node)) -> Option<Row> {
        let described = ebb_destination::FieldDescription::of(self.action, key)?;
        let default = self.action.default_of(key, self.columns);
        let required = described.required == ebb_destination::Need::Always;
        let suggestion = self.suggestion(key, node);
        let mut values = Vec::new();
        let value = Shown {
            default: default.as_ref().map(told).unwrap_or_default(),
            ..self.shown(key, 0, node, described.label)
        };
        values.push(value);
        self.within(key, 1, node, &mut values);
        if let Some(own) = values.first_mut() {
            let allowed = described.choices.iter().map(|choice| {
                let text = choice.as_str().map_or_else(|| choice.to_json(), str::to_owned);
                Choice::new(&text, &text, &own.text)
            });
            if own.kind == Kind::Text {
                own.choices = allowed.collect();
            }
        }
        let list = if described.multiple { "list of " } else { "" };
        Some(Row {
            counts: node.kind != Kind::Default
                || suggestion.is_some()
                || (required && default.is_none())
                || self.problems.iter().any(|(path, _)| is_at(path, key)),
            key: key.clone(),
            label: described.label.to_owned(),
            kind: format!("{list}{}", described.kind),
            help: prose(described.description),
            required,
            values,
            suggestion,
        })
    }

    /// A column that would fit, where nothing is said.
    fn suggestion(&self, key: &str, node: &Node) -> Option<String> {
        let open =
            node.kind == Kind::Default && !self.dismissed.iter().any(|dismissed| dismissed == key);
        let suggestion = open.then(|| self.action.suggestion(key, self.columns))??;
        Some(suggestion.column.to_owned())
    }

    fn within(&self, path: &str, depth: usize, node: &Node, values: &mut Vec<Shown>) {
        for (place, (name, child)) in node.children.iter().enumerate() {
            let path = below(path, place);
            let function = node.kind.function();
            let parameter = function.and_then(|function| function.parameters.get(place));
            let value = match parameter {
                Some(parameter) => {
                    let value = self.shown(&path, depth, child, parameter.label);
                    of_parameter(parameter, value)
                }
                None if node.kind == Kind::List => {
                    let value = self.shown(&path, depth, child, &format!("Item {}", place + 1));
                    Shown { removable: true, ..value }
                }
                None => {
                    let value = self.shown(&path, depth, child, name);
                    Shown { name: Some(name.clone()), removable: true, ..value }
                }
            };
            values.push(value);
            self.within(&path, depth + 1, child, values);
        }
    }

    fn shown(&self, path: &str, depth: usize, node: &Node, label: &str) -> Shown {
        let kind = |kind: &Kind| {
            let left_out = *kind == Kind::Default && depth > 0;
            let word = if left_out { "Left out" } else { word(*kind) };
            Choice::new(kind.as_str(), word, node.kind.as_str())
        };
        Shown {
            path: path.to_owned(),
            depth: depth.min(4),
            kind: node.kind,
            kinds: Kind::ALL.iter().map(kind).collect(),
            text: node.text.clone(),
            choices: if node.kind == Kind::Column {
                self.column_choices(&node.text)
            } else {
                Vec::new()
            },
            default: String::new(),
            name: None,
            removable: false,
            label: label.to_owned(),
            problem: self
                .problems
                .iter()
                .find(|(at, _)| at == path)
                .map(|(_, failure)| failure.clone()),
        }
    }

    fn column_choices(&self, chosen: &str) -> Vec<Choice> {
        let known = self.columns.iter().any(|column| column.name == chosen);
        let none = chosen.is_empty().then(|| Choice::new("", "Choose a column", chosen));
        let other = (!known && !chosen.is_empty())
            .then(|| Choice::new(chosen, &format!("{chosen} (not in the model)"), chosen));
        let columns = self.columns.iter().map(|column| {
            let label = format!("{} ({})", column.name, type_of(column));
            Choice::new(&column.name, &label, chosen)
        });
        none.into_iter().chain(other).chain(columns).collect()
    }
}

/// A value that is what a function's parameter can be.
fn of_parameter(parameter: &Parameter, value: Shown) -> Shown {
    let choice = |text: &&str| Choice::new(text, text, &value.text);
    let choices: Vec<Choice> = parameter.choices().iter().map(choice).collect();
    let can_be = |kind: &Choice| parameter.kinds().iter().any(|it| it.as_str() == kind.value);
    Shown {
        kinds: value.kinds.into_iter().filter(can_be).collect(),
        choices: if choices.is_empty() { value.choices } else { choices },
        ..value
    }
}

/// Whether a path is that of a field or leads below it.
pub(super) fn is_at(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A default as people read it.
fn told(default: &Value) -> String {
    match default.get("@path").and_then(Value::as_str) {
        Some("$." | "$.properties") => "the whole record".to_owned(),
        Some(path) => {
            let column = path.strip_prefix("$.properties.");
            column.or_else(|| path.strip_prefix("$.")).unwrap_or(path).to_owned()
        }
        None => default.to_string(),
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Default => "Default",
        Kind::Column => "Column",
        Kind::Template => "Template",
        Kind::Text => "Text",
        Kind::Number => "Number",
        Kind::Boolean => "Boolean",
        Kind::Null => "Null",
        Kind::Object => "Object",
        Kind::List => "List",
        Kind::Coalesce => "Coalesce",
        Kind::Case => "Change case",
        Kind::Replace => "Replace",
        Kind::Flatten => "Flatten",
        Kind::JsonText => "JSON text",
        Kind::Liquid => "Liquid",
        Kind::Directive => "Directive",
    }
}
