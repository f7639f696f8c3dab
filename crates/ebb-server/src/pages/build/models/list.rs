//! All models.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::config::Model;

use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Frame,
        build::{counted, mappings_of},
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
    rows: Vec<Row>,
}

pub(in crate::pages::build) async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    let workspace = &configuration.workspace;
    let row = |(name, model): (&String, &Model)| Row {
        name: name.clone(),
        source: model.source.clone(),
        id: model.id.clone(),
        timestamp: model.timestamp.clone(),
        from_files: configuration.in_files(Section::Models, name),
        mappings: counted(mappings_of(workspace, |it| it.model == *name).len(), "mapping"),
    };
    let rows = workspace.project.models.iter().map(row).collect();
    page(&ModelsPage { frame: Frame::new(&app, &actor, "models"), rows })
}
