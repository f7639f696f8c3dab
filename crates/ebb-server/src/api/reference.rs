//! The reference: the `OpenAPI` document as a page to read.

use askama::Template;
use axum::response::Html;
use serde_json::{Map, Value};

use crate::{
    assets,
    prose::{Prose, capitalized, prose},
};

/// Operations on one kind of things.
struct Group {
    name: String,
    title: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: Vec<Prose>,
    role: String,
    parameters: Vec<Parameter>,
    /// The schema of the request's document.
    takes: Option<Link>,
    answers: Vec<Answer>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    description: Vec<Prose>,
}

struct Answer {
    status: String,
    description: Vec<Prose>,
    gives: Option<Link>,
}

/// A schema, or a list of it.
struct Link {
    name: String,
    known: bool,
}

struct Schema {
    name: String,
    json: String,
}

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage {
    assets: &'static str,
    version: String,
    description: Vec<Prose>,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The page of a document.
pub(super) fn page(document: &Value) -> Html<String> {
    let text = |pointer: &str| string(document.pointer(pointer));
    let shown = ReferencePage {
        assets: assets::version(),
        version: text("/info/version"),
        description: pieces(document.pointer("/info/description")),
        groups: list(document.get("tags")).iter().map(|tag| group(document, tag)).collect(),
        schemas: object(document.pointer("/components/schemas")).map(schema).collect(),
    };
    Html(shown.render().expect("the template writes to a text, which takes all"))
}

fn group(document: &Value, tag: &Value) -> Group {
    let name = string(tag.get("name"));
    let of_this =
        |operation: &Value| operation.pointer("/tags/0").and_then(Value::as_str) == Some(&name);
    let operations = object(document.get("paths")).flat_map(|(path, item)| {
        let operations = object(Some(item)).filter(|(_, operation)| of_this(operation));
        operations.map(|(method, operation)| self::operation(path, method, operation))
    });
    let operations = operations.collect();
    Group {
        title: capitalized(&name.replace('_', " ")),
        description: string(tag.get("description")),
        operations,
        name,
    }
}

fn operation(path: &str, method: &str, operation: &Value) -> Operation {
    let answers = object(operation.get("responses")).map(|(status, answer)| Answer {
        status: status.clone(),
        description: pieces(answer.get("description")),
        gives: content(answer),
    });
    let parameters = list(operation.get("parameters")).iter().map(|parameter| Parameter {
        name: string(parameter.get("name")),
        place: string(parameter.get("in")),
        required: parameter.get("required").and_then(Value::as_bool).unwrap_or_default(),
        description: pieces(parameter.get("description")),
    });
    Operation {
        id: string(operation.get("operationId")),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: string(operation.get("summary")),
        description: pieces(operation.get("description")),
        role: string(operation.get("x-role")),
        parameters: parameters.collect(),
        takes: operation.get("requestBody").and_then(content),
        answers: answers.collect(),
    }
}

/// What a request or an answer holds.
fn content(of: &Value) -> Option<Link> {
    let (kind, content) = object(of.get("content")).next()?;
    let reference = content.pointer("/schema/$ref").and_then(Value::as_str);
    Some(match reference.and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => Link { name: name.to_owned(), known: true },
        None => Link { name: kind.clone(), known: false },
    })
}

fn schema((name, schema): (&String, &Value)) -> Schema {
    Schema { name: name.clone(), json: format!("{schema:#}") }
}

fn pieces(value: Option<&Value>) -> Vec<Prose> {
    prose(&string(value))
}

fn string(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
