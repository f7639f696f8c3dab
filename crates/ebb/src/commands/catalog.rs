//! `ebb catalog`: what can be sent to.

use std::fmt::Write;

use ebb_destination::{Catalog, Category, Manifest};
use ebb_mapping::{
    Field, FieldKind, Fields,
    fields::{Choice, Required},
};
use serde_json::{Value, json};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// List destinations, or one destination's settings, actions and fields
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The destination's kind
    kind: Option<String>,
    /// List those of a category alone, such as `crm`
    #[arg(long, conflicts_with = "kind")]
    category: Option<String>,
}

/// Shows the catalog; the project's own destinations are in it, if there is a project.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let catalog = Catalog::load(&global.project.join("destinations"))?;
    match &arguments.kind {
        None => {
            let category = arguments.category.as_deref().map(str::parse).transpose()?;
            all(&catalog, category, global.json)
        }
        Some(kind) => {
            let definition = catalog.find(kind)?;
            if global.json {
                print_json(&description(&definition.manifest));
            } else {
                print_text(&one(&definition.manifest));
            }
            Ok(Finish::Done)
        }
    }
}

fn all(catalog: &Catalog, wanted: Option<Category>, as_json: bool) -> Result<Finish, Stop> {
    let mut table = Table::new(["kind", "name", "categories", "actions"]);
    let mut kinds = Vec::new();
    for (kind, definition) in catalog.definitions() {
        let manifest = &definition?.manifest;
        let categories = &manifest.categories;
        if wanted.is_some_and(|wanted| !categories.contains(&wanted)) {
            continue;
        }
        let actions: Vec<&str> = manifest.actions.keys().collect();
        let purposes: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
        table.row([kind, &manifest.name, &purposes.join(", "), &actions.join(", ")]);
        kinds.push(json!({
            "kind": kind, "name": manifest.name, "categories": categories, "actions": actions,
        }));
    }
    if as_json {
        print_json(&json!({ "destinations": kinds }));
    } else {
        print_text(&table.to_string());
    }
    Ok(Finish::Done)
}

/// A destination for machines.
fn description(manifest: &Manifest) -> Value {
    let actions = manifest.actions.iter().map(|(key, action)| {
        let action = json!({
            "label": action.label,
            "description": action.description,
            "sync_modes": action.sync_modes,
            "fields": fields(&action.fields),
        });
        (key.to_owned(), action)
    });
    json!({
        "kind": manifest.slug,
        "name": manifest.name,
        "description": manifest.description,
        "categories": manifest.categories,
        "docs": manifest.docs,
        "settings": manifest.settings,
        "actions": actions.collect::<serde_json::Map<_, _>>(),
    })
}

fn fields(fields: &Fields) -> Value {
    fields.iter().map(|(key, field)| (key.to_owned(), described(field))).collect()
}

fn described(field: &Field) -> Value {
    let choices = field.choices.iter().map(|choice| json!(choice.value()));
    let parts = [
        ("label", Some(json!(field.label))),
        ("description", Some(json!(field.description))),
        ("type", Some(json!(kind(field.kind)))),
        ("required", Some(json!(required(field)))),
        ("multiple", Some(json!(field.multiple))),
        ("choices", (!field.choices.is_empty()).then(|| choices.collect())),
        ("default", field.default.as_ref().map(|default| json!(default))),
        ("properties", field.properties.as_ref().map(fields)),
    ];
    let parts = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(parts.collect())
}

const fn kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::String => "string",
        FieldKind::Text => "text",
        FieldKind::Password => "password",
        FieldKind::Number => "number",
        FieldKind::Integer => "integer",
        FieldKind::Boolean => "boolean",
        FieldKind::DateTime => "datetime",
        FieldKind::Object => "object",
    }
}

const fn required(field: &Field) -> &'static str {
    match &field.required {
        Required::Always(true) => "required",
        Required::When(_) => "conditional",
        Required::Always(false) | Required::Never => "optional",
    }
}

/// A destination for people.
fn one(manifest: &Manifest) -> String {
    let mut text = format!("{} ({})\n{}\n", manifest.name, manifest.slug, manifest.docs);
    let mut settings = Table::new(["setting", "type", "", "what it is"]);
    for (key, setting) in manifest.settings.iter() {
        let needed = if setting.required { "required" } else { "optional" };
        let kind = json!(setting.kind);
        settings.row([key, kind.as_str().unwrap_or_default(), needed, &setting.label]);
    }
    if !manifest.settings.is_empty() {
        write!(text, "\n{settings}").expect("a String takes all text");
    }
    for (key, action) in manifest.actions.iter() {
        write!(text, "\naction {key}: {}\n", action.label).expect("a String takes all text");
        let mut table = Table::new(["  field", "type", "", "choices or default"]);
        for (key, field) in action.fields.iter().filter(|(_, field)| !field.hidden) {
            let many = if field.multiple { " list" } else { "" };
            let choices: Vec<String> =
                field.choices.iter().map(|choice: &Choice| choice.value().to_json()).collect();
            let default = field.default.as_ref().map(|default| format!("default {default}"));
            let note = default.unwrap_or_else(|| choices.join(" "));
            let kind = format!("{}{many}", kind(field.kind));
            table.row([format!("  {key}"), kind, required(field).to_owned(), note]);
        }
        write!(text, "{table}").expect("a String takes all text");
    }
    text
}
