//! All models.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::config::Model;

use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Frame,
        build::{counted, mapping_counts},
        list::{Paged, Wanted, fits},
        page,
    },
    refusal::Refusal,
};

/// A model in the list.
struct Row {
    name: String,
    source: String,
    id: String,
    timestamp: Option<String>,
    from_files: bool,
    mappings: String,
}

#[derive(Template)]
#[template(path = "build/models.html")]
struct ModelsPage {
    frame: Frame,
    wanted: Wanted,
    total: usize,
    shown: String,
    paged: Paged,
    rows: Vec<Row>,
}

pub(in crate::pages::build) async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    let workspace = &configuration.workspace;
    let mappings = mapping_counts(workspace, |mapping| &mapping.model);
    let row = |(name, model): (&String, &Model)| Row {
        name: name.clone(),
        source: model.source.clone(),
        id: model.id.clone(),
        timestamp: model.timestamp.clone(),
        from_files: configuration.in_files(Section::Models, name),
        mappings: counted(mappings.get(name.as_str()).copied().unwrap_or_default(), "mapping"),
    };
    let models = &workspace.project.models;
    let mut found: Vec<_> =
        models.iter().filter(|(name, it)| fits(&wanted.q, &[name, &it.source])).collect();
    let paged = Paged::cut(&mut found, wanted.page, |number| wanted.address("/models", number));
    page(&ModelsPage {
        frame: Frame::new(&app, &actor, "models"),
        total: models.len(),
        shown: format!("{} of {}", found.len(), counted(paged.of, "model")),
        rows: found.into_iter().map(row).collect(),
        paged,
        wanted,
    })
}
