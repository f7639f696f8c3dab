//! All mappings, as they are made; how they fare is told by the overview.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::{config::Mapping, port::Clock};
use ebb_workspace::SystemClock;

use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Frame,
        build::counted,
        clock,
        list::{Paged, Wanted, fits},
        page, tool,
        words::next,
    },
    refusal::Refusal,
};

/// A mapping in the list.
struct Row {
    name: String,
    model: String,
    destination: String,
    action: String,
    monogram: String,
    enabled: bool,
    from_files: bool,
    next: (String, String),
}

#[derive(Template)]
#[template(path = "build/mappings.html")]
struct MappingsPage {
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
    let now = SystemClock.now();
    let row = |(name, mapping): (&String, &Mapping)| {
        let tool = tool(workspace, mapping);
        let outlook = app.scheduler.with(|table| table.outlook(name));
        Row {
            name: name.clone(),
            model: mapping.model.clone(),
            destination: mapping.destination.clone(),
            action: tool.action,
            monogram: tool.monogram,
            enabled: workspace.enabled(name).is_ok(),
            from_files: configuration.in_files(Section::Mappings, name),
            next: next(outlook.as_ref(), now, clock::listed),
        }
    };
    let mappings = &workspace.project.mappings;
    let mut found: Vec<_> = mappings
        .iter()
        .filter(|(name, it)| fits(&wanted.q, &[name, &it.model, &it.destination, &it.action]))
        .collect();
    let paged = Paged::cut(&mut found, wanted.page, |number| wanted.address("/mappings", number));
    page(&MappingsPage {
        frame: Frame::new(&app, &actor, "mappings"),
        total: mappings.len(),
        shown: format!("{} of {}", found.len(), counted(paged.of, "mapping")),
        rows: found.into_iter().map(row).collect(),
        paged,
        wanted,
    })
}
