//! What surrounds every page.

use ebb_store::Role;

use crate::{access::Actor, app::App, assets};

/// The frame of a page.
pub(super) struct Frame {
    pub(super) assets: &'static str,
    /// The entry of the menu that stands for the page.
    pub(super) here: &'static str,
    pub(super) csrf: String,
    /// `light`, `dark`, or empty: as the system says.
    pub(super) theme: &'static str,
    pub(super) name: String,
    pub(super) initials: String,
    pub(super) role: &'static str,
    /// Whether changes may be made.
    pub(super) edits: bool,
    pub(super) sources: usize,
    pub(super) models: usize,
    pub(super) destinations: usize,
    pub(super) mappings: usize,
    /// Alerts that are open.
    pub(super) alerts: usize,
}

impl Frame {
    pub(super) fn new(app: &App, actor: &Actor, here: &'static str) -> Self {
        let configuration = app.configuration();
        let project = &configuration.workspace.project;
        let words = actor.person.name.split_whitespace();
        Self {
            assets: assets::version(),
            here,
            csrf: actor.csrf().to_owned(),
            theme: actor.theme,
            name: actor.person.name.clone(),
            initials: words.filter_map(|word| word.chars().next()).take(2).collect(),
            role: match actor.role {
                Role::Viewer => "Viewer",
                Role::Editor => "Editor",
                Role::Owner => "Owner",
            },
            edits: actor.may(Role::Editor),
            sources: project.sources.len(),
            models: project.models.len(),
            destinations: project.destinations.len(),
            mappings: project.mappings.len(),
            alerts: app.alerts.count(),
        }
    }
}
