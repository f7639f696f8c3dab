//! All destinations, and the catalog of what may become one.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::config::Destination;
use serde::Deserialize;

use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Frame,
        build::{counted, mappings_of},
        page,
        tool::monogram,
    },
    refusal::Refusal,
};

/// A destination of the project.
struct Own {
    name: String,
    kind: String,
    monogram: String,
    enabled: bool,
    from_files: bool,
    mappings: String,
}

/// A kind of the catalog.
struct Item {
    kind: String,
    name: String,
    monogram: String,
    description: String,
    actions: String,
}

#[derive(Template)]
#[template(path = "build/destinations.html")]
struct DestinationsPage {
    frame: Frame,
    own: Vec<Own>,
    search: String,
    /// How many kinds there are.
    kinds: usize,
    items: Vec<Item>,
}

#[derive(Deserialize)]
pub(in crate::pages::build) struct Wanted {
    #[serde(default)]
    q: String,
}

pub(in crate::pages::build) async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(Wanted { q }): Query<Wanted>,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    let workspace = &configuration.workspace;
    let own = |(name, destination): (&String, &Destination)| {
        let definition = workspace.catalog.find(&destination.kind).ok();
        let kind =
            definition.map_or_else(|| destination.kind.clone(), |it| it.manifest.name.clone());
        let mappings = mappings_of(workspace, |mapping| mapping.destination == *name).len();
        Own {
            name: name.clone(),
            monogram: monogram(&kind),
            kind,
            enabled: destination.enabled,
            from_files: configuration.in_files(Section::Destinations, name),
            mappings: counted(mappings, "mapping"),
        }
    };
    let own = workspace.project.destinations.iter().map(own).collect();
    let search = q.trim().to_lowercase();
    let found = workspace.catalog.definitions().filter_map(|(_, definition)| definition.ok());
    let items = found
        .filter(|definition| fits(&definition.manifest, &search))
        .map(|definition| item(&definition.manifest))
        .collect();
    page(&DestinationsPage {
        frame: Frame::new(&app, &actor, "destinations"),
        own,
        search: q,
        kinds: workspace.catalog.kinds().count(),
        items,
    })
}

fn fits(manifest: &ebb_destination::Manifest, search: &str) -> bool {
    let actions = manifest.actions.iter().map(|(_, action)| action.label.as_str());
    let texts = [manifest.name.as_str(), &manifest.slug, &manifest.description];
    texts.into_iter().chain(actions).any(|text| text.to_lowercase().contains(search))
}

fn item(manifest: &ebb_destination::Manifest) -> Item {
    Item {
        kind: manifest.slug.clone(),
        name: manifest.name.clone(),
        monogram: monogram(&manifest.name),
        description: manifest.description.clone(),
        actions: counted(manifest.actions.iter().count(), "action"),
    }
}
