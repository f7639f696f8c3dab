//! The form of a destination: of what was typed a document, and of a document what would be typed.

use std::{collections::BTreeSet, sync::Arc};

use ebb_core::{Failure, config::Project};
use ebb_destination::Definition;
use serde_json::{Map, Value};

use crate::{
    app::shown,
    pages::build::{
        field::{Choice, Field, Input, Need, Problems},
        settings,
        typed::Typed,
    },
    prose::prose,
};

/// The form, ready to be shown.
pub(super) struct DestinationForm {
    pub(super) definition: Arc<Definition>,
    pub(super) name: Field,
    pub(super) fields: Vec<Field>,
    /// The categories that it demands, of those of which sources tell; `None` if there is none.
    pub(super) consent: Option<Field>,
    /// What is wrong and belongs to no field.
    pub(super) failures: Vec<Failure>,
}

/// The document that was typed. Whether anything is sent to it is switched elsewhere, and stays.
pub(super) fn document(
    definition: &Definition,
    typed: &Typed,
    before: Option<&Value>,
) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("kind".to_owned(), definition.manifest.slug.as_str().into());
    let settings = settings::document(&settings::of_destination(&definition.manifest), typed);
    document.insert("settings".to_owned(), settings.into());
    let consent: Vec<Value> = typed.all("consent").map(Value::from).collect();
    if !consent.is_empty() {
        document.insert("consent".to_owned(), consent.into());
    }
    if let Some(enabled) = before.and_then(|before| before.get("enabled")) {
        document.insert("enabled".to_owned(), enabled.clone());
    }
    document
}

/// A document as it would be typed. Secrets are not in it.
pub(super) fn typed(name: &str, document: &Value) -> Typed {
    let document = shown(document);
    let mut typed = Typed::default();
    typed.set("name", name);
    typed.set("kind", document.get("kind").and_then(Value::as_str).unwrap_or_default());
    for category in document.get("consent").and_then(Value::as_array).into_iter().flatten() {
        typed.add("consent", category.as_str().unwrap_or_default());
    }
    if let Some(settings) = document.get("settings").and_then(Value::as_object) {
        settings::type_in(settings, &mut typed);
    }
    typed
}

impl DestinationForm {
    pub(super) fn new(
        definition: Arc<Definition>,
        typed: &Typed,
        stored: &BTreeSet<String>,
        project: &Project,
        mut problems: Problems,
    ) -> Self {
        let settings = settings::of_destination(&definition.manifest);
        let fields = settings.iter().map(|setting| setting.field(typed, stored, &mut problems));
        Self {
            fields: fields.collect(),
            consent: consent(typed, project, &mut problems),
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
            definition,
            failures: problems.rest(),
        }
    }
}

/// The categories of which sources tell, and those that were demanded already.
fn consent(typed: &Typed, project: &Project, problems: &mut Problems) -> Option<Field> {
    let known = project.sources.values().flat_map(|source| source.consent.keys());
    let categories: BTreeSet<&str> =
        known.map(String::as_str).chain(typed.all("consent")).collect();
    let demanded: Vec<&str> = typed.all("consent").collect();
    let choice = |category: &&str| Choice {
        value: (*category).to_owned(),
        label: (*category).to_owned(),
        chosen: demanded.contains(category),
    };
    (!categories.is_empty()).then(|| Field {
        name: "consent".to_owned(),
        label: "Consent".to_owned(),
        help: prose("A record goes here only if it consents to all that is checked"),
        need: Need::Optional,
        input: Input::Several(categories.iter().map(choice).collect()),
        value: String::new(),
        default: String::new(),
        problem: problems.take("consent"),
        wide: true,
    })
}
