//! All sources.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::Failure;

use crate::{
    access::Actor,
    app::{App, Section},
    pages::{Frame, build::counted, page, tool::monogram},
    refusal::Refusal,
};

/// A source in the list.
struct Row {
    name: String,
    kind: &'static str,
    monogram: String,
    from_files: bool,
    models: String,
    at_once: usize,
}

#[derive(Template)]
#[template(path = "build/sources.html")]
struct SourcesPage {
    frame: Frame,
    rows: Vec<Row>,
}

pub(in crate::pages::build) async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
) -> Result<Response, Refusal> {
    let configuration = app.configuration();
    let project = &configuration.workspace.project;
    let row = |(name, source): (&String, &ebb_core::config::Source)| -> Result<Row, Failure> {
        let form = ebb_warehouse::form(&source.kind)?;
        let models = project.models.values().filter(|model| model.source == *name).count();
        Ok(Row {
            name: name.clone(),
            kind: form.name,
            monogram: monogram(form.name),
            from_files: configuration.in_files(Section::Sources, name),
            models: counted(models, "model"),
            at_once: source.max_concurrent_syncs,
        })
    };
    let rows = project.sources.iter().map(row).collect::<Result<_, _>>()?;
    page(&SourcesPage { frame: Frame::new(&app, &actor, "sources"), rows })
}
