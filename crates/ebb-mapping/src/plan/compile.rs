//! From directives to a plan.

use std::fmt;

use ebb_core::{Column, Object, Value, suggest};

use super::{Case, CaseOperator, Each, Flatten, If, Merge, Node, References, Replace, Transform};
use crate::{
    Problem,
    check::{REPLACE_LENGTH, check, is_directive},
    directive::Template,
    liquid::Liquid,
    scope::{Place, Source},
    script::{Path, is_truthy, kind_of, undefined, units},
};

/// The key whose directive holds all other keys as its `mapping`.
const ROOT: &str = "__segment_internal_directive";

/// The mapping that is evaluated: with a root directive, that directive around all other keys.
pub(crate) fn root(mapping: &Value<'_>) -> Result<Value<'static>, Problem> {
    let wrong = |message: &str| Err(Problem::new(ROOT, message));
    let mut object = match mapping {
        Value::Object(object) => object.clone().into_owned(),
        Value::Null => return Err(Problem::new("", "must be an object, but is null")),
        Value::Bool(_) | Value::Number(_) => Object::new(),
        Value::String(_) | Value::Array(_) => {
            let mut object = Object::new();
            crate::script::assign(&mut object, mapping.clone().into_owned());
            object
        }
    };
    let Some(mut directive) = object.remove(ROOT) else { return Ok(object.into()) };
    match &mut directive {
        Value::Object(directive) => {
            if directive.len() != 1 {
                return wrong("must have exactly one key, the directive's");
            }
            let Some((_, options)) = directive.iter_mut().next() else {
                return wrong("must have exactly one key, the directive's");
            };
            match options {
                Value::Object(options) => options.insert("mapping", object.into()),
                Value::Array(_) => {}
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    return wrong("must hold a directive with an object of options");
                }
            }
        }
        Value::Array(items) => match items.as_mut_slice() {
            [Value::Object(first)] => first.insert("mapping", object.into()),
            [Value::Array(_)] => {}
            _ => return wrong("must be an object with one directive"),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return wrong("must be an object with one directive");
        }
    }
    Ok(directive)
}

/// Compiles directives, and notes what they read.
pub(crate) struct Compiler<'c> {
    columns: Option<&'c [Column]>,
    /// What was read so far.
    pub(crate) references: References,
    /// What will fail on every record that gets there.
    pub(crate) warnings: Vec<Problem>,
    place: Vec<String>,
}

impl<'c> Compiler<'c> {
    /// A compiler for events of rows with these columns, or for any events.
    pub(crate) fn new(columns: Option<&'c [Column]>) -> Self {
        Self { columns, references: References::default(), warnings: Vec::new(), place: Vec::new() }
    }

    /// Compiles a value or directive.
    pub(crate) fn node(&mut self, mapping: &Value<'_>) -> Node {
        match mapping {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Node::Constant(mapping.clone().into_owned())
            }
            Value::Array(items) => {
                let nodes: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(place, item)| self.at(place, |this| this.node(item)))
                    .collect();
                fold_list(nodes)
            }
            Value::Object(object) if is_directive(object) => self.directive(object),
            Value::Object(object) => {
                let nodes: Vec<(Box<str>, _)> = object
                    .iter()
                    .map(|(key, value)| (key.into(), self.at(key, |this| this.node(value))))
                    .collect();
                fold_object(nodes)
            }
        }
    }

    fn at<R>(&mut self, key: impl fmt::Display, work: impl FnOnce(&mut Self) -> R) -> R {
        self.place.push(key.to_string());
        let result = work(self);
        self.place.pop();
        result
    }

    /// Compiles what starts from another value than the event.
    fn elsewhere<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let columns = self.columns.take();
        let result = work(self);
        self.columns = columns;
        result
    }

    fn fail(&mut self, reason: impl Into<String>) -> Node {
        let reason = reason.into();
        let path = format!("/{}", self.place.join("/"));
        self.warnings.push(Problem::new(&path, format!("fails on every record: {reason}")));
        Node::Fail(reason.into())
    }

    fn option(&mut self, options: &Object<'_>, key: &str) -> Node {
        match options.get(key) {
            Some(value) => self.at(key, |this| this.node(value)),
            None => Node::Constant(undefined()),
        }
    }

    fn directive(&mut self, object: &Object<'_>) -> Node {
        let Some((name, options)) = object.iter().find(|(key, _)| key.starts_with('@')) else {
            return self.fail("a directive has no name");
        };
        self.at(name, |this| match name {
            "@path" => this.path(options),
            "@template" => this.template(options),
            "@literal" => this.node(options),
            "@excludeWhenNull" => Node::ExcludeNull(Box::new(this.node(options))),
            "@liquid" => this.liquid(options),
            "@arrayPath" => this.array_path(options),
            "@if" | "@case" | "@replace" | "@flatten" | "@json" | "@merge" | "@transform" => {
                let Some(options) = options.as_object() else {
                    return this.fail(format!("`{name}` needs an object of options"));
                };
                match name {
                    "@if" => this.condition(options),
                    "@case" => this.case(options),
                    "@replace" => this.replace(options),
                    "@flatten" => this.flatten(options),
                    "@json" => this.json(options),
                    "@merge" => this.merge(options),
                    _ => this.transform(options),
                }
            }
            _ => this.fail(format!("`{name}` is not a directive")),
        })
    }

    fn source(&mut self, path: Path) -> Source {
        let Some(columns) = self.columns else { return Source::of_value(path) };
        let source = Source::of_row(path, columns);
        self.read(&source, columns);
        source
    }

    fn read(&mut self, source: &Source, columns: &[Column]) {
        match source.place() {
            Some(Place::Column(column)) => {
                self.references.columns.insert(column);
            }
            Some(Place::Event | Place::Properties) => self.references.whole = true,
            Some(Place::Nowhere) => {
                let path = format!("/{}", self.place.join("/"));
                let message = match source.column() {
                    Some(name) => {
                        self.references.missing.insert(name.to_owned());
                        format!(
                            "reads the column `{name}`, which the model lacks. {}",
                            suggest::allowed(name, columns.iter().map(|column| &*column.name))
                        )
                    }
                    None => format!(
                        "reads `{}`, which no record has. Columns are at `$.properties.<column>`",
                        source.text()
                    ),
                };
                self.references.unknown.push(Problem::new(&path, message));
            }
            Some(
                Place::Type | Place::Name | Place::MessageId | Place::Timestamp | Place::RecordId,
            )
            | None => {}
        }
    }

    fn path(&mut self, path: &Value<'_>) -> Node {
        let node = self.node(path);
        let Node::Constant(path) = node else {
            self.references.whole = true;
            return Node::PathOf(Box::new(node));
        };
        match path.as_str() {
            Some(path) => Node::Path(self.source(Path::of_directive(path))),
            None => self.fail(format!("`@path` needs text, but got {}", kind_of(&path))),
        }
    }

    fn template(&mut self, template: &Value<'_>) -> Node {
        let node = self.node(template);
        let Node::Constant(template) = node else {
            self.references.whole = true;
            return Node::TemplateOf(Box::new(node));
        };
        let Some(text) = template.as_str() else {
            return self.fail(format!("`@template` needs text, but got {}", kind_of(&template)));
        };
        let template = Template::new(text, |path| self.source(path));
        self.references.whole |= matches!(template, Template::Twice(_));
        Node::Template(template)
    }

    fn liquid(&mut self, template: &Value<'_>) -> Node {
        let Some(text) = template.as_str() else { return self.fail("`@liquid` needs text") };
        self.references.whole = true;
        match Liquid::new(text) {
            Ok(liquid) => {
                for column in liquid.columns() {
                    // What it is filled in from is the whole event; this only notes what it names.
                    self.source(["properties", &column].into_iter().map(Into::into).collect());
                }
                Node::Liquid(Box::new(liquid))
            }
            Err(reason) => self.fail(reason),
        }
    }

    fn condition(&mut self, options: &Object<'_>) -> Node {
        let given = |key| options.get(key).is_some_and(is_truthy);
        if !given("exists") && !given("blank") {
            return self.fail("`@if` needs `exists` or `blank`");
        }
        let filled = options.get("exists").is_none();
        let value = self.option(options, if filled { "blank" } else { "exists" });
        let then = self.option(options, "then");
        let otherwise =
            if given("else") { self.option(options, "else") } else { Node::Constant(undefined()) };
        Node::If(Box::new(If { value, filled, then, otherwise }))
    }

    fn case(&mut self, options: &Object<'_>) -> Node {
        let operator = match options.get("operator") {
            Some(operator) if is_truthy(operator) => match operator.as_str() {
                Some("lower") => CaseOperator::Lower,
                Some("upper") => CaseOperator::Upper,
                Some(_) | None => CaseOperator::Unknown,
            },
            Some(_) | None => return self.fail("`@case` needs `operator`"),
        };
        if !options.get("value").is_some_and(is_truthy) {
            return Node::Constant(undefined());
        }
        Node::Case(Box::new(Case { value: self.option(options, "value"), operator }))
    }

    fn replace(&mut self, options: &Object<'_>) -> Node {
        if !options.get("pattern").is_some_and(is_truthy) {
            return self.fail("`@replace` needs `pattern`");
        }
        if !options.get("value").is_some_and(is_truthy) {
            return Node::Constant(undefined());
        }
        // An option that is missing or null has its default; one of another type spoils all.
        let text = |key| match options.get(key) {
            None | Some(Value::Null) => Some(""),
            Some(value) => value.as_str(),
        };
        let flag = |key, default| match options.get(key) {
            None | Some(Value::Null) => Some(default),
            Some(value) => value.as_bool(),
        };
        let mut pairs = Vec::new();
        let first = text("pattern").zip(text("replacement"));
        pairs.extend(first.map(|(pattern, with)| (pattern.into(), with.into())));
        if let Some(pattern) = options.get("pattern2").and_then(Value::as_str)
            && !pattern.is_empty()
        {
            pairs.extend(text("replacement2").map(|with| (pattern.into(), with.into())));
        }
        let too_long = |text: &str| units(text) > REPLACE_LENGTH;
        let refuses = pairs.iter().find_map(|(pattern, with): &(Box<str>, Box<str>)| {
            if too_long(pattern) {
                Some("`@replace` takes a pattern of at most 10 characters")
            } else if too_long(with) {
                Some("`@replace` takes a replacement of at most 10 characters")
            } else {
                None
            }
        });
        let flags = flag("ignorecase", false).zip(flag("global", true));
        let (ignore_case, everywhere) = flags.unwrap_or_default();
        let usable = flags.is_some() && first.is_some();
        let value = self.option(options, "value");
        Node::Replace(Box::new(Replace { value, pairs, refuses, usable, ignore_case, everywhere }))
    }

    fn array_path(&mut self, options: &Value<'_>) -> Node {
        let Some(items) = options.as_array() else {
            return self.fail(format!("`@arrayPath` needs a list, but got {}", kind_of(options)));
        };
        let list = match items.first() {
            Some(Value::String(path)) => Node::Path(self.source(Path::of_directive(path))),
            Some(other) => self.node(other),
            None => Node::Constant(undefined()),
        };
        match items.get(1) {
            Some(shape @ Value::Object(object)) if !object.is_empty() => {
                let shape = self.elsewhere(|this| this.node(shape));
                Node::Each(Box::new(Each { items: list, shape }))
            }
            Some(_) | None => list,
        }
    }

    fn flatten(&mut self, options: &Object<'_>) -> Node {
        if !options.get("separator").is_some_and(is_truthy) {
            return self.fail("`@flatten` needs `separator`");
        }
        let separator = self.option(options, "separator");
        let value = self.option(options, "value");
        let keep_lists = options.get("omitArrays").is_some_and(is_truthy);
        Node::Flatten(Box::new(Flatten { value, separator, keep_lists }))
    }

    fn json(&mut self, options: &Object<'_>) -> Node {
        for key in ["mode", "value"] {
            if !options.get(key).is_some_and(is_truthy) {
                return self.fail(format!("`@json` needs `{key}`"));
            }
        }
        let value = self.option(options, "value");
        match options.get("mode").and_then(Value::as_str) {
            Some("encode") => Node::JsonEncode(Box::new(value)),
            Some("decode") => Node::JsonDecode(Box::new(value)),
            // The value is evaluated all the same: it may fail.
            Some(_) | None => Node::If(Box::new(If {
                value,
                filled: false,
                then: Node::Constant(undefined()),
                otherwise: Node::Constant(undefined()),
            })),
        }
    }

    fn merge(&mut self, options: &Object<'_>) -> Node {
        if !options.get("direction").is_some_and(is_truthy) {
            return self.fail("`@merge` needs `direction`");
        }
        let direction = self.option(options, "direction");
        let Some(objects) = options.get("objects").and_then(Value::as_array) else {
            return self.fail("`@merge` needs a list of `objects`");
        };
        let objects = objects.iter().map(|object| self.node(object)).collect();
        Node::Merge(Box::new(Merge { objects, direction }))
    }

    fn transform(&mut self, options: &Object<'_>) -> Node {
        let Some(mapping) = options.get("mapping").filter(|mapping| is_truthy(mapping)) else {
            return self.fail("`@transform` needs `mapping`");
        };
        let Some(apply @ Value::Object(_)) = options.get("apply") else {
            return self.fail("`@transform` needs an object `apply`");
        };
        // What lies in a list was not checked with the rest of the mapping.
        let apply = match root(apply) {
            Ok(apply) => apply,
            Err(problem) => return self.fail(problem.message),
        };
        if let Some(problem) = check(&apply).into_iter().next() {
            return self.fail(problem.message);
        }
        let apply = self.at("apply", |this| this.node(&apply));
        let mapping = self.at("mapping", |this| this.elsewhere(|this| this.node(mapping)));
        Node::Transform(Box::new(Transform { apply, mapping }))
    }
}

/// A list of constants is a constant.
fn fold_list(nodes: Vec<Node>) -> Node {
    let constants = nodes.iter().map(|node| node.constant().cloned());
    match constants.collect::<Option<Vec<_>>>() {
        Some(items) => Node::Constant(items.into()),
        None => Node::Array(nodes),
    }
}

/// An object of constants is a constant.
fn fold_object(nodes: Vec<(Box<str>, Node)>) -> Node {
    let constants =
        nodes.iter().map(|(key, node)| Some((key.to_string().into(), node.constant()?.clone())));
    match constants.collect::<Option<Object<'static>>>() {
        Some(object) => Node::Constant(object.into()),
        None => Node::Object(nodes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::directive_key;

    #[test]
    fn a_root_directive_takes_the_other_keys_as_its_mapping() {
        let mapping = Value::from_json(
            r#"{"__segment_internal_directive":{"@transform":{"apply":{}}},"a":1}"#,
        )
        .unwrap();
        let root = root(&mapping).unwrap();
        assert_eq!(root.to_json(), r#"{"@transform":{"apply":{},"mapping":{"a":1}}}"#);
        assert_eq!(directive_key(root.as_object().unwrap()), Some("@transform"));
    }
}
