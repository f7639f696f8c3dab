//! `ebb catalog`: what can be sent to.

use ebb_destination::Catalog;

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
}

/// Shows the catalog; the project's own destinations are in it, if there is a project.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let catalog = Catalog::load(&global.project.join("destinations"))?;
    match &arguments.kind {
        None => all(&catalog, global.json),
        Some(kind) => {
            let definition = catalog.find(kind)?;
            if global.json {
                print_json(&definition.manifest);
            } else {
                print_text(&one(&definition.manifest));
            }
            Ok(Finish::Done)
        }
    }
}

fn all(catalog: &Catalog, as_json: bool) -> Result<Finish, Stop> {
    let mut table = Table::new(["kind", "name", "actions"]);
    let mut kinds = Vec::new();
    for (kind, definition) in catalog.definitions() {
        let manifest = &definition?.manifest;
        let actions: Vec<&str> = manifest.actions.keys().collect();
        table.row([kind, &manifest.name, &actions.join(", ")]);
        kinds.push(serde_json::json!({ "kind": kind, "name": manifest.name, "actions": actions }));
    }
    if as_json {
        print_json(&serde_json::json!({ "destinations": kinds }));
    } else {
        print_text(&table.to_string());
    }
    Ok(Finish::Done)
}
