//! The form of a source: of what was typed a document, and of a document what would be typed.

use std::collections::BTreeSet;

use ebb_core::{Failure, config::MANAGED_SCHEMA};
use ebb_warehouse::{Form, Part};
use serde_json::{Map, Value};

use crate::{
    app::shown,
    pages::build::{
        field::{Field, Input, Need, Problems},
        settings::{self, Setting, number},
        typed::Typed,
    },
    prose::prose,
};

/// A part of the form.
pub(super) struct Section {
    pub(super) fields: Vec<Field>,
    /// Whether something in it is wrong.
    pub(super) wrong: bool,
}

/// The form, ready to be shown.
pub(super) struct SourceForm {
    pub(super) kind: &'static Form,
    pub(super) name: Field,
    pub(super) connection: Section,
    pub(super) sign_in: Section,
    pub(super) advanced: Section,
    /// What is wrong and belongs to no field.
    pub(super) failures: Vec<Failure>,
}

/// The document that was typed.
pub(super) fn document(kind: &'static Form, typed: &Typed) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("kind".to_owned(), kind.kind.into());
    let settings = settings::document(&settings::of_source(kind), typed);
    document.insert("settings".to_owned(), settings.into());
    if !typed.get("schema").is_empty() {
        document.insert("schema".to_owned(), typed.get("schema").into());
    }
    if !typed.get("max_concurrent_syncs").is_empty() {
        let at_once = number(typed.get("max_concurrent_syncs"));
        document.insert("max_concurrent_syncs".to_owned(), at_once);
    }
    if !typed.get("consent").is_empty() {
        document.insert("consent".to_owned(), columns_of_consent(typed.get("consent")).into());
    }
    document
}

/// Columns by category, of a text such as `advertising: ads_ok, analytics: stats_ok`. A category without a
/// column keeps none, which whoever reads the document refuses.
fn columns_of_consent(text: &str) -> Map<String, Value> {
    let pieces = text.split(',').map(str::trim).filter(|piece| !piece.is_empty());
    let pair = |piece: &str| {
        let (category, column) = piece.split_once(':').unwrap_or((piece, ""));
        (category.trim().to_owned(), column.trim().into())
    };
    pieces.map(pair).collect()
}

/// A document as it would be typed. Secrets are not in it.
pub(super) fn typed(name: &str, document: &Value) -> Typed {
    let mut typed = Typed::default();
    let document = shown(document);
    typed.set("name", name);
    for key in ["schema", "max_concurrent_syncs"] {
        match document.get(key) {
            Some(Value::String(text)) => typed.set(key, text.as_str()),
            Some(value) => typed.set(key, value.to_string()),
            None => {}
        }
    }
    if let Some(consent) = document.get("consent").and_then(Value::as_object) {
        let pair = |(category, column): (&String, &Value)| {
            format!("{category}: {}", column.as_str().unwrap_or_default())
        };
        typed.set("consent", consent.iter().map(pair).collect::<Vec<_>>().join(", "));
    }
    if let Some(settings) = document.get("settings").and_then(Value::as_object) {
        settings::type_in(settings, &mut typed);
    }
    typed
}

impl SourceForm {
    /// A form with what was typed.
    pub(super) fn new(
        kind: &'static Form,
        typed: &Typed,
        stored: &BTreeSet<String>,
        mut problems: Problems,
    ) -> Self {
        let settings = settings::of_source(kind);
        let part = |part: Part, problems: &mut Problems| -> Vec<Field> {
            let here = settings.iter().filter(|setting| Setting::part(setting) == part);
            here.map(|setting| setting.field(typed, stored, problems)).collect()
        };
        let connection = part(Part::Connection, &mut problems);
        let sign_in = part(Part::SignIn, &mut problems);
        let mut advanced = part(Part::Advanced, &mut problems);
        advanced.extend(own(typed, &mut problems));
        Self {
            kind,
            connection: Section::new(connection),
            sign_in: Section::new(sign_in),
            advanced: Section::new(advanced),
            name: Field {
                name: "name".to_owned(),
                label: "Name".to_owned(),
                help: prose("What models call it: small letters, digits, `-` and `_`"),
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

impl Section {
    fn new(fields: Vec<Field>) -> Self {
        let wrong = fields.iter().any(|field| field.problem.is_some());
        Self { fields, wrong }
    }
}

/// What every kind takes.
fn own(typed: &Typed, problems: &mut Problems) -> [Field; 3] {
    let mut field = |name: &str, label: &str, help: &str, default: &str| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        help: prose(help),
        need: Need::Optional,
        input: Input::Code,
        value: typed.get(name).to_owned(),
        default: default.to_owned(),
        problem: problems.take(name),
        wide: false,
    };
    [
        field("schema", "Managed schema", "Where Ebb keeps what was sent", MANAGED_SCHEMA),
        field(
            "max_concurrent_syncs",
            "Syncs at once",
            "Others of this source wait for their turn",
            "2",
        ),
        Field {
            wide: true,
            ..field(
                "consent",
                "Consent columns",
                "For each category of consent the boolean column that tells of it, such as `advertising: ads_ok, \
                 analytics: stats_ok`. A destination that demands a category gets no record without it",
                "",
            )
        },
    ]
}
