//! The value of a field as the editor shows it: a kind, what is typed for it, and values within.

use ebb_core::{Code, Failure};
use ebb_destination::value_of_column;
use serde_json::{Map, Value, json};

use crate::pages::build::{settings::number, typed::Typed};

/// A value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// What is typed: a column, a text, a number, a document.
    pub(super) text: String,
    /// The values of an object with their names, of a list, or of a function's parameters; names of the latter
    /// two are empty.
    pub(super) children: Vec<(String, Self)>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is said: the action's default, if it has one.
    #[default]
    Default,
    Column,
    /// Text with columns in it.
    Template,
    Text,
    Number,
    Boolean,
    Null,
    Object,
    List,
    Coalesce,
    Case,
    Replace,
    Flatten,
    JsonText,
    Liquid,
    /// Any directive, as JSON.
    Directive,
}

impl Kind {
    pub(super) const ALL: [Self; 16] = [
        Self::Default,
        Self::Column,
        Self::Template,
        Self::Text,
        Self::Number,
        Self::Boolean,
        Self::Null,
        Self::Object,
        Self::List,
        Self::Coalesce,
        Self::Case,
        Self::Replace,
        Self::Flatten,
        Self::JsonText,
        Self::Liquid,
        Self::Directive,
    ];

    /// The kind as forms send it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "",
            Self::Column => "column",
            Self::Template => "template",
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::Object => "object",
            Self::List => "list",
            Self::Coalesce => "coalesce",
            Self::Case => "case",
            Self::Replace => "replace",
            Self::Flatten => "flatten",
            Self::JsonText => "json-text",
            Self::Liquid => "liquid",
            Self::Directive => "directive",
        }
    }

    fn of(text: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or_default()
    }
}

/// A path that leads to a value: the field, then the places of values within.
pub(super) fn below(path: &str, place: usize) -> String {
    format!("{path}/{place}")
}

impl Node {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), children: Vec::new() }
    }

    /// Reads what was typed at a path.
    pub(super) fn typed(typed: &Typed, path: &str) -> Self {
        let kind = Kind::of(typed.get(&format!("k/{path}")));
        let mut text = typed.lines(&format!("v/{path}"));
        let mut children = Vec::new();
        if matches!(kind, Kind::Object | Kind::List) {
            text.clear();
            for place in typed.all(&format!("c/{path}")) {
                let within = format!("{path}/{place}");
                let name = typed.get(&format!("n/{within}")).to_owned();
                children.push((name, Self::typed(typed, &within)));
            }
        }
        if let Some(function) = kind.function() {
            let parameters = function.parameters.iter().enumerate();
            children.extend(parameters.map(|(place, parameter)| {
                let within = below(path, place);
                let said = typed.has(&format!("k/{within}"));
                let node = if said { Self::typed(typed, &within) } else { parameter.at_first() };
                (String::new(), node)
            }));
        }
        Self { kind, text, children }
    }

    /// Reads a directive, as mappings have it; `None` is nothing.
    pub(super) fn of(directive: Option<&Value>, columns: &[String]) -> Self {
        let Some(directive) = directive else { return Self::default() };
        // What reads back as something else is shown to the letter.
        Self::read(directive, columns).filter(Self::fits_a_form).unwrap_or_else(|| {
            let text = serde_json::to_string_pretty(directive).unwrap_or_default();
            Self::new(Kind::Directive, text)
        })
    }

    fn read(directive: &Value, columns: &[String]) -> Option<Self> {
        let node = match directive {
            Value::Null => Self::new(Kind::Null, ""),
            Value::Bool(truth) => Self::new(Kind::Boolean, truth.to_string()),
            Value::Number(number) => Self::new(Kind::Number, number.to_string()),
            Value::String(text) => Self::new(Kind::Text, text.as_str()),
            Value::Array(items) => {
                let item = |item: &Value| (String::new(), Self::of(Some(item), columns));
                let children = items.iter().map(item).collect();
                Self { kind: Kind::List, text: String::new(), children }
            }
            Value::Object(entries) if entries.keys().any(|key| key.starts_with('@')) => {
                let known = [Self::column, Self::template, Self::liquid, Self::function];
                let read = known.iter().find_map(|read| read(entries, columns))?;
                let written = read.directive(columns).ok().flatten();
                return (written.as_ref() == Some(directive)).then_some(read);
            }
            Value::Object(entries) => {
                let entry = |(name, value): (&String, &Value)| {
                    (name.clone(), Self::of(Some(value), columns))
                };
                let children = entries.iter().map(entry).collect();
                Self { kind: Kind::Object, text: String::new(), children }
            }
        };
        Some(node)
    }

    /// Whether a browser sends back what it was shown: a line of text has no end of line in it, and a field of
    /// many lines begins with none.
    fn fits_a_form(&self) -> bool {
        let is_line = |text: &str| !text.contains(['\n', '\r']);
        match self.kind {
            Kind::Liquid => !self.text.starts_with('\n') && !self.text.contains('\r'),
            Kind::Text | Kind::Template | Kind::Column => is_line(&self.text),
            Kind::Object => self.children.iter().all(|(name, _)| is_line(name)),
            Kind::Default
            | Kind::Number
            | Kind::Boolean
            | Kind::Null
            | Kind::List
            | Kind::Coalesce
            | Kind::Case
            | Kind::Replace
            | Kind::Flatten
            | Kind::JsonText
            | Kind::Directive => true,
        }
    }

    fn column(directive: &Map<String, Value>, _: &[String]) -> Option<Self> {
        let path = directive.get("@path")?.as_str()?.strip_prefix("$.properties")?;
        let quoted = || path.strip_prefix("[\"")?.strip_suffix("\"]");
        let name = path.strip_prefix('.').or_else(quoted)?;
        Some(Self::new(Kind::Column, name))
    }

    fn template(directive: &Map<String, Value>, _: &[String]) -> Option<Self> {
        let text = directive.get("@template")?.as_str()?;
        Some(Self::new(Kind::Template, text.replace("{{properties.", "{{")))
    }

    fn liquid(directive: &Map<String, Value>, _: &[String]) -> Option<Self> {
        Some(Self::new(Kind::Liquid, directive.get("@liquid")?.as_str()?))
    }

    fn function(directive: &Map<String, Value>, columns: &[String]) -> Option<Self> {
        let read = |kind: Kind| {
            let function = kind.function()?;
            Some((kind, function, function.read(directive)?))
        };
        let (kind, function, options) = Kind::ALL.into_iter().find_map(read)?;
        let children = function.parameters.iter().map(|parameter| {
            let node = Self::of(options.get(parameter.key), columns);
            parameter.takes(&node).then(|| (String::new(), node))
        });
        Some(Self { kind, text: String::new(), children: children.collect::<Option<_>>()? })
    }

    /// The directive; `Ok(None)` for nothing. The failure says what was typed wrong, and the path where
    /// below this value.
    pub(super) fn directive(&self, columns: &[String]) -> Result<Option<Value>, (String, Failure)> {
        let here = |failure: Failure| (String::new(), failure);
        Ok(Some(match self.kind {
            Kind::Default => return Ok(None),
            Kind::Column if self.text.is_empty() => {
                let failure = Failure::new(Code::MappingInvalid, "no column is chosen");
                return Err(here(failure.help("Choose a column, or another kind of value")));
            }
            Kind::Column => value_of_column(&self.text),
            Kind::Template => json!({ "@template": with_columns(&self.text, columns) }),
            Kind::Text => self.text.as_str().into(),
            Kind::Number => {
                let number = number(self.text.trim());
                if !number.is_number() {
                    let message = format!("`{}` is not a number", self.text.trim());
                    let failure = Failure::new(Code::MappingInvalid, message);
                    return Err(here(failure.help("Write it as `12` or `-3.5`")));
                }
                number
            }
            Kind::Boolean => (self.text == "true").into(),
            Kind::Null => Value::Null,
            Kind::Liquid => json!({ "@liquid": self.text }),
            Kind::Coalesce | Kind::Case | Kind::Replace | Kind::Flatten | Kind::JsonText => {
                return self.called(columns);
            }
            Kind::Directive => serde_json::from_str(&self.text).map_err(|error| {
                let failure =
                    Failure::new(Code::MappingInvalid, format!("this is not JSON: {error}"));
                here(failure.help(
                    "Write a value or a directive such as `{ \"@path\": \"$.properties.id\" }`",
                ))
            })?,
            Kind::List => {
                let mut items = Vec::new();
                for (place, (_, child)) in self.children.iter().enumerate() {
                    items.extend(child.directive(columns).map_err(|it| within(place, it))?);
                }
                items.into()
            }
            Kind::Object => {
                let mut entries = Map::new();
                for (place, (name, child)) in self.children.iter().enumerate() {
                    let value = child.directive(columns).map_err(|it| within(place, it))?;
                    let Some(value) = value else { continue };
                    if name.is_empty() {
                        let failure =
                            Failure::new(Code::MappingInvalid, "the property has no name");
                        return Err(within(place, here(failure.help("Name it, or remove it"))));
                    }
                    entries.insert(name.clone(), value);
                }
                entries.into()
            }
        }))
    }

    /// The directive of a function.
    fn called(&self, columns: &[String]) -> Result<Option<Value>, (String, Failure)> {
        let Some(function) = self.kind.function() else { return Ok(None) };
        let mut options = Map::new();
        let parameters = function.parameters.iter().zip(&self.children).enumerate();
        for (place, (parameter, (_, child))) in parameters {
            match child.directive(columns).map_err(|it| within(place, it))? {
                Some(value) => {
                    options.insert(parameter.key.to_owned(), value);
                }
                None if parameter.required => {
                    let message = format!("`{}` is left out", parameter.label);
                    let failure = Failure::new(Code::MappingInvalid, message)
                        .help("Say what it is, or choose another kind of value");
                    return Err(within(place, (String::new(), failure)));
                }
                None => {}
            }
        }
        Ok(Some(function.write(options)))
    }

    /// The value at a path below this one, as in `0/2`.
    pub(super) fn at(&mut self, path: &str) -> Option<&mut Self> {
        if path.is_empty() {
            return Some(self);
        }
        let (place, rest) = path.split_once('/').unwrap_or((path, ""));
        self.children.get_mut(place.parse::<usize>().ok()?)?.1.at(rest)
    }

    /// Removes the value at a path below this one.
    pub(super) fn remove(&mut self, path: &str) {
        let (parent, place) = path.rsplit_once('/').unwrap_or(("", path));
        if let (Some(parent), Ok(place)) = (self.at(parent), place.parse::<usize>())
            && place < parent.children.len()
        {
            parent.children.remove(place);
        }
    }
}

fn within(place: usize, (path, failure): (String, Failure)) -> (String, Failure) {
    let path = if path.is_empty() { place.to_string() } else { format!("{place}/{path}") };
    (path, failure)
}

/// A text in which columns stand by their bare names, as templates name them.
fn with_columns(text: &str, columns: &[String]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        let bare = name.trim();
        filled.push_str(before);
        filled.push_str("{{");
        if columns.iter().any(|column| column == bare) {
            filled.push_str("properties.");
            filled.push_str(bare);
        } else {
            filled.push_str(name);
        }
        filled.push_str("}}");
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Kind, Node};
    use crate::pages::build::typed::Typed;

    fn columns() -> Vec<String> {
        ["email", "event", "first name"].map(str::to_owned).into()
    }

    #[test]
    fn a_directive_is_read_and_written_as_it_was() {
        for directive in [
            json!({ "@path": "$.properties.email" }),
            json!({ "@path": "$.properties[\"first name\"]" }),
            json!({ "@template": "Dear {{properties.email}}, {{event}}" }),
            json!({ "@template": "{{ messageId }}" }),
            json!({ "@if": { "exists": { "@path": "$.properties.email" }, "then": 1 } }),
            json!({ "@case": { "operator": "upper", "value": { "@path": "$.properties.email" } } }),
            json!({ "@flatten": { "value": { "@path": "$.properties" }, "separator": "_" } }),
            json!({ "@liquid": "{{ properties.email | upcase }}" }),
            json!([1, "two", null, { "a": true, "b": { "@path": "$.properties.email" } }]),
            json!("{{email}}"),
        ] {
            let node = Node::of(Some(&directive), &columns());
            assert_eq!(node.directive(&columns()).unwrap(), Some(directive), "{node:?}");
        }
        assert_eq!(Node::of(None, &[]).directive(&[]).unwrap(), None::<Value>);
    }

    #[test]
    fn functions_are_shown_by_their_parameters() {
        let email = json!({ "@path": "$.properties.email" });
        let replaced = json!({ "@replace": {
            "value": email, "pattern": "a", "replacement": "", "global": false } });
        let decoded = json!({ "@json": { "value": email, "mode": "decode" } });
        let nested = json!({ "@if": { "exists": email, "then": email, "else": replaced } });
        for (directive, kind) in
            [(&replaced, Kind::Replace), (&decoded, Kind::JsonText), (&nested, Kind::Coalesce)]
        {
            let node = Node::of(Some(directive), &columns());
            assert_eq!(node.kind, kind);
            assert_eq!(node.directive(&columns()).unwrap().as_ref(), Some(directive));
        }
        let node = Node::of(Some(&nested), &columns());
        assert_eq!(node.children[1].1.kind, Kind::Replace);
        // What its parameters cannot say is shown to the letter.
        for other in [
            json!({ "@case": { "value": email, "operator": "title" } }),
            json!({ "@case": { "value": email, "operator": email } }),
            json!({ "@json": { "value": email, "mode": "encode", "more": 1 } }),
            json!({ "@if": { "exists": email, "then": 1, "else": 2 } }),
        ] {
            assert_eq!(Node::of(Some(&other), &columns()).kind, Kind::Directive, "{other}");
        }
    }

    #[test]
    fn a_function_that_was_just_chosen_asks_for_what_it_needs() {
        let mut typed = Typed::default();
        typed.set("k/a", "case");
        let mut node = Node::typed(&typed, "a");
        let (path, failure) = node.directive(&[]).unwrap_err();
        assert_eq!((path.as_str(), failure.message()), ("0", "no column is chosen"));
        node.children[0].1 = Node::default();
        let (path, failure) = node.directive(&[]).unwrap_err();
        assert_eq!((path.as_str(), failure.message()), ("0", "`Of` is left out"));
        node.children[0].1 = Node::new(Kind::Column, "email");
        let told = node.directive(&[]).unwrap();
        let lower = json!({ "value": { "@path": "$.properties.email" }, "operator": "lower" });
        assert_eq!(told, Some(json!({ "@case": lower })));
    }

    #[test]
    fn people_name_columns_bare() {
        let node = Node::new(Kind::Template, "Dear {{ email }} {{nobody}} {{");
        let told = node.directive(&columns()).unwrap();
        assert_eq!(told, Some(json!({ "@template": "Dear {{properties.email}} {{nobody}} {{" })));
        // What has the name of a column but means something else is shown to the letter.
        let event = json!({ "@template": "{{event}}" });
        assert_eq!(Node::of(Some(&event), &columns()).kind, Kind::Directive);
    }

    #[test]
    fn what_a_browser_would_change_is_shown_to_the_letter() {
        for directive in [
            json!("a\nb"),
            json!({ "@template": "a\nb" }),
            json!({ "@liquid": "\n{{ properties.email }}" }),
            json!({ "@liquid": "a\r\nb" }),
            json!({ "@replace": { "value": { "@path": "$.properties.email" }, "pattern": "\n" } }),
            json!({ "a\nb": 1 }),
        ] {
            let node = Node::of(Some(&directive), &columns());
            assert_eq!(node.kind, Kind::Directive, "{directive}");
            assert_eq!(node.directive(&columns()).unwrap(), Some(directive));
        }
        let liquid = json!({ "@liquid": "a\nb" });
        assert_eq!(Node::of(Some(&liquid), &columns()).kind, Kind::Liquid);
        // Within a function a value that is anything is shown so, and the function is not.
        let coalesce = json!({ "@if": {
            "exists": { "@path": "$.properties.email" }, "then": { "@path": "$.properties.email" }, "else": "a\nb"
        } });
        let node = Node::of(Some(&coalesce), &columns());
        assert_eq!(node.kind, Kind::Coalesce);
        assert_eq!(node.children[1].1.kind, Kind::Directive);
    }

    #[test]
    fn what_is_typed_wrong_is_told_with_its_path() {
        let bad = Node::new(Kind::Number, "many");
        let object = Node {
            kind: Kind::Object,
            text: String::new(),
            children: vec![("a".to_owned(), Node::default()), ("b".to_owned(), bad)],
        };
        let list =
            Node { kind: Kind::List, text: String::new(), children: vec![(String::new(), object)] };
        let (path, failure) = list.directive(&[]).unwrap_err();
        assert_eq!((path.as_str(), failure.message()), ("0/1", "`many` is not a number"));
    }
}
