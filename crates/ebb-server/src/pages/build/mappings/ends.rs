//! What a mapping joins, and the form of a new one, which is chosen by it.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{HeaderName, HeaderValue},
    response::Response,
};
use ebb_core::Failure;
use ebb_destination::Definition;
use ebb_store::Role;
use ebb_workspace::Workspace;
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    edit::{Draft, MappingPage, action, bare, editor},
    form::Said,
};
use crate::{
    access::Actor,
    app::App,
    pages::{Form, build::typed::Typed, page},
    refusal::Refusal,
};

/// What a mapping joins.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages::build) struct Ends {
    pub(super) model: String,
    pub(super) destination: String,
    pub(super) action: String,
}

impl Ends {
    pub(super) fn typed(typed: &Typed) -> Self {
        let [model, destination, action] =
            ["model", "destination", "action"].map(|key| typed.get(key).to_owned());
        Self { model, destination, action }
    }

    /// The definition of the destination's kind.
    pub(super) fn definition(&self, workspace: &Workspace) -> Result<Arc<Definition>, Failure> {
        let destination = workspace.project.destinations.get(&self.destination);
        let kind = destination.map_or(self.destination.as_str(), |found| found.kind.as_str());
        workspace.catalog.find(kind)
    }

    /// What cannot be chosen otherwise is chosen, and an action that the destination lacks is not.
    fn settled(mut self, workspace: &Workspace) -> Result<Self, Failure> {
        let project = &workspace.project;
        if let (true, Some(model)) = (project.models.len() == 1, project.models.keys().next()) {
            self.model.clone_from(model);
        }
        if let (true, Some(only)) =
            (project.destinations.len() == 1, project.destinations.keys().next())
        {
            self.destination.clone_from(only);
        }
        if project.destinations.contains_key(&self.destination) {
            let definition = self.definition(workspace)?;
            let mut actions = definition.manifest.actions.keys();
            match (actions.next(), actions.next()) {
                (Some(only), None) => only.clone_into(&mut self.action),
                _ if definition.action_exists(&self.action).is_err() => self.action.clear(),
                _ => {}
            }
        }
        Ok(self)
    }

    /// Whether all of it is chosen.
    fn known(&self, workspace: &Workspace) -> bool {
        let project = &workspace.project;
        project.models.contains_key(&self.model)
            && project.destinations.contains_key(&self.destination)
            && !self.action.is_empty()
    }

    /// The address of a new mapping's page.
    fn address(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("model", &self.model)
            .append_pair("destination", &self.destination)
            .append_pair("action", &self.action)
            .finish();
        format!("/mappings/new?{query}")
    }
}

pub(in crate::pages::build) async fn show_new(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(ends): Query<Ends>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let ends = ends.settled(&app.configuration().workspace)?;
    let mut typed = Typed::default();
    typed.set("enabled", "true");
    page(&begun(&app, &actor, ends, typed).await?)
}

/// The form of a new mapping once it joins something else. What was typed stays, as far as it fits.
pub(in crate::pages::build) async fn rejoin(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    /// What belongs to the ends that were, or to the page.
    const OF_BEFORE: [&str; 8] =
        ["csrf", "model", "destination", "action", "column", "record", "search", "dismissed"];
    actor.must_be(Role::Editor)?;
    let ends = Ends::typed(&typed).settled(&app.configuration().workspace)?;
    let address = HeaderValue::from_str(&ends.address());
    let mut page = page(&begun(&app, &actor, ends, typed.without(&OF_BEFORE)).await?)?;
    if let Ok(address) = address {
        page.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    }
    Ok(page)
}

/// A new mapping's page: the editor as soon as all ends are chosen.
async fn begun(app: &App, actor: &Actor, ends: Ends, typed: Typed) -> Result<MappingPage, Failure> {
    let configuration = app.configuration();
    if !ends.known(&configuration.workspace) {
        let mut page = bare(app, actor, ends);
        page.waiting = typed;
        return Ok(page);
    }
    let definition = ends.definition(&configuration.workspace)?;
    let said = Said::typed(action(&definition, &ends.action)?, typed);
    editor(app, actor, Draft::new(None, ends, said)).await
}
