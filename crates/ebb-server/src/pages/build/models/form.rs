//! The form of a model: of what was typed a document, and of a document what would be typed.

use ebb_core::{Failure, port::ModelQuery};
use serde_json::{Map, Value};

use super::sample::Head;
use crate::{
    app::shown,
    pages::build::{
        field::{Field, Input, Need, Problems},
        schedule::{self, Schedule},
        typed::Typed,
    },
    prose::prose,
};

/// Where a model's records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Query,
    Table,
    /// Something that this form does not offer, such as a dbt model: it stays as it is.
    Kept,
}

/// The form, ready to be shown.
pub(super) struct ModelForm {
    pub(super) name: Field,
    pub(super) source: String,
    pub(super) source_problem: Option<Failure>,
    pub(super) origin: Origin,
    pub(super) query: String,
    pub(super) query_problem: Option<Failure>,
    pub(super) table: String,
    pub(super) table_problem: Option<Failure>,
    pub(super) id: String,
    pub(super) id_problem: Option<Failure>,
    pub(super) timestamp: String,
    pub(super) timestamp_problem: Option<Failure>,
    pub(super) schedule: Schedule,
    pub(super) schedule_problems: Vec<Failure>,
    /// What is wrong and belongs to no field.
    pub(super) failures: Vec<Failure>,
}

/// The keys of a document that this form is for.
const OWN: [&str; 6] = ["source", "query", "table", "id", "timestamp", SCHEDULE];

const SCHEDULE: &str = "schedule";

impl Origin {
    fn of(typed: &Typed) -> Self {
        match typed.get("origin") {
            "table" => Self::Table,
            "kept" => Self::Kept,
            _ => Self::Query,
        }
    }
}

/// The document that was typed; what the form does not show stays as it was.
pub(super) fn document(typed: &Typed, before: Option<&Value>) -> Map<String, Value> {
    let before = before.map(shown);
    let others = before.as_ref().and_then(Value::as_object).into_iter().flatten();
    let mut document: Map<String, Value> = others
        .filter(|(key, _)| !OWN.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let (key, origin) = match Origin::of(typed) {
        Origin::Query => ("query", typed.lines("query")),
        Origin::Table => ("table", typed.get("table").to_owned()),
        Origin::Kept => ("", String::new()),
    };
    if !key.is_empty() {
        document.insert(key.to_owned(), origin.into());
    }
    document.insert("source".to_owned(), typed.get("source").into());
    for key in ["id", "timestamp"] {
        let value = typed.get(key);
        if !value.is_empty() {
            document.insert(key.to_owned(), value.into());
        }
    }
    document.extend(schedule::document(typed).map(|schedule| (SCHEDULE.to_owned(), schedule)));
    document
}

/// A document as it would be typed.
pub(super) fn typed(name: &str, document: &Value) -> Typed {
    let document = shown(document);
    let mut typed = Typed::default();
    typed.set("name", name);
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    for key in OWN.into_iter().filter(|key| *key != SCHEDULE) {
        typed.set(key, text(key).unwrap_or_default());
    }
    schedule::type_in(document.get(SCHEDULE), &mut typed);
    let origin = match (text("query"), text("table")) {
        (Some(_), _) => "query",
        (None, Some(_)) if document.get("columns").is_none() => "table",
        (None, _) => "kept",
    };
    typed.set("origin", origin);
    typed
}

/// What the warehouse is asked for a preview of what was typed; `None` if the form does not say.
pub(super) fn query(typed: &Typed) -> Option<ModelQuery> {
    let sql = match Origin::of(typed) {
        Origin::Query => typed.lines("query"),
        Origin::Table => match typed.get("table") {
            "" => String::new(),
            table => format!("select * from {table}"),
        },
        Origin::Kept => return None,
    };
    Some(ModelQuery { sql, ..ModelQuery::default() })
}

impl ModelForm {
    pub(super) fn new(typed: &Typed, mappings: &[String], mut problems: Problems) -> Self {
        Self {
            source: typed.get("source").to_owned(),
            source_problem: problems.take("source"),
            origin: Origin::of(typed),
            query: typed.lines("query"),
            query_problem: problems.take("query"),
            table: typed.get("table").to_owned(),
            table_problem: problems.take("table"),
            id: typed.get("id").to_owned(),
            id_problem: problems.take("id").or_else(|| problems.take_named("", "id")),
            timestamp: typed.get("timestamp").to_owned(),
            timestamp_problem: problems.take("timestamp"),
            schedule: Schedule::of_model(typed, mappings),
            schedule_problems: problems.take_all(SCHEDULE),
            name: Field {
                name: "name".to_owned(),
                label: "Name".to_owned(),
                help: prose("What mappings call it: small letters, digits, `-` and `_`"),
                need: Need::Required,
                input: Input::Code,
                value: typed.get("name").to_owned(),
                default: String::new(),
                problem: problems.take_exactly(""),
                wide: true,
            },
            failures: problems.rest(),
        }
    }
}

/// The columns of the last preview, which the form carries with it: their names and types.
pub(super) fn columns(typed: &Typed) -> Vec<Head> {
    let id = typed.get("id");
    let head = |text: &str| {
        let (name, native) = text.split_once('\t').unwrap_or((text, ""));
        Head { name: name.to_owned(), native: native.to_owned(), right: false, key: name == id }
    };
    typed.all("column").map(head).collect()
}
