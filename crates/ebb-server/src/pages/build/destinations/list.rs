//! All destinations, and the catalog of what may become one.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::config::Destination;
use ebb_destination::{Category, Manifest};
use serde::Deserialize;
use url::form_urlencoded;

use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Frame,
        build::{counted, mapping_counts},
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
    /// Its first category and how many actions it has.
    about: String,
}

/// A category with the kinds that fit what is searched.
struct Aisle {
    label: &'static str,
    address: String,
    count: usize,
    current: bool,
}

#[derive(Template)]
#[template(path = "build/destinations.html")]
struct DestinationsPage {
    frame: Frame,
    own: Vec<Own>,
    search: String,
    /// How many kinds there are.
    kinds: usize,
    category: &'static str,
    aisles: Vec<Aisle>,
    items: Vec<Item>,
}

#[derive(Deserialize)]
pub(in crate::pages::build) struct Wanted {
    #[serde(default)]
    q: String,
    /// A category; any if it is none.
    #[serde(default)]
    category: String,
}

pub(in crate::pages::build) async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(Wanted { q, category }): Query<Wanted>,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    let workspace = &configuration.workspace;
    let mappings = mapping_counts(workspace, |mapping| &mapping.destination);
    let own = |(name, destination): (&String, &Destination)| {
        let definition = workspace.catalog.find(&destination.kind).ok();
        let kind =
            definition.map_or_else(|| destination.kind.clone(), |it| it.manifest.name.clone());
        Own {
            name: name.clone(),
            monogram: monogram(&kind),
            kind,
            enabled: destination.enabled,
            from_files: configuration.in_files(Section::Destinations, name),
            mappings: counted(mappings.get(name.as_str()).copied().unwrap_or_default(), "mapping"),
        }
    };
    let own = workspace.project.destinations.iter().map(own).collect();
    let search = q.trim().to_lowercase();
    let found = workspace.catalog.definitions().filter_map(|(_, definition)| definition.ok());
    let found: Vec<_> = found.filter(|definition| fits(&definition.manifest, &search)).collect();
    let found: Vec<_> = found.iter().map(|definition| &definition.manifest).collect();
    let category: Option<Category> = category.parse().ok();
    let items = found.iter().filter(|manifest| within(manifest, category)).copied().map(item);
    let items = items.collect();
    let every = [None].into_iter().chain(Category::ALL.map(Some));
    let aisles = every.map(|one| aisle(&found, one, category, &q));
    let aisles = aisles.filter(|aisle| aisle.count > 0 || aisle.current).collect();
    page(&DestinationsPage {
        frame: Frame::new(&app, &actor, "destinations"),
        own,
        search: q,
        kinds: workspace.catalog.kinds().count(),
        category: category.map_or("", Category::as_str),
        aisles,
        items,
    })
}

fn within(manifest: &Manifest, category: Option<Category>) -> bool {
    category.is_none_or(|category| manifest.categories.contains(&category))
}

fn aisle(
    found: &[&Manifest],
    category: Option<Category>,
    current: Option<Category>,
    search: &str,
) -> Aisle {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("category", category.map_or("", Category::as_str)).append_pair("q", search);
    Aisle {
        label: category.map_or("All", Category::label),
        address: format!("/destinations?{}", query.finish()),
        count: found.iter().filter(|manifest| within(manifest, category)).count(),
        current: category == current,
    }
}

fn fits(manifest: &Manifest, search: &str) -> bool {
    let actions = manifest.actions.iter().map(|(_, action)| action.label.as_str());
    let texts = [manifest.name.as_str(), &manifest.slug, &manifest.description];
    texts.into_iter().chain(actions).any(|text| text.to_lowercase().contains(search))
}

fn item(manifest: &Manifest) -> Item {
    let actions = counted(manifest.actions.iter().count(), "action");
    Item {
        kind: manifest.slug.clone(),
        name: manifest.name.clone(),
        monogram: monogram(&manifest.name),
        description: manifest.description.clone(),
        about: match manifest.categories.first() {
            Some(category) => format!("{} · {actions}", category.label()),
            None => actions,
        },
    }
}
