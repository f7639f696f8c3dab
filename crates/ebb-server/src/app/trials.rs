//! Sources, destinations and channels that are tried before they are kept. `name` is that of a kept one that
//! would be replaced, of which secrets that are left out are taken.

use std::sync::Arc;

use ebb_core::{
    Failure, Redactor,
    config::Problem,
    port::{Finding, Warehouse},
};
use ebb_workspace::Workspace;
use serde_json::{Map, Value};

use super::{App, Section, alone, operations::without_secrets};
use crate::access::Actor;

/// A source that is tried.
pub(crate) struct SourceTrial {
    warehouse: Arc<dyn Warehouse>,
    redactor: Redactor,
}

impl SourceTrial {
    fn of(workspace: &Workspace, name: &str) -> Result<Self, Failure> {
        let redactor = workspace.redactor();
        let warehouse = workspace.warehouse(name);
        let warehouse = warehouse.map_err(|failure| without_secrets(&redactor, failure))?;
        Ok(Self { warehouse, redactor })
    }

    /// Tries what a sync would need, and tells each step when it is over, without secrets.
    pub(crate) async fn steps(&self, told: &mut (dyn FnMut(Finding) + Send)) {
        let without = |failure| without_secrets(&self.redactor, failure);
        let mut told = |Finding { step, failure }| {
            told(Finding { step, failure: failure.map(without) });
        };
        self.warehouse.try_steps(&mut told).await;
    }

    /// All steps at once.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.steps(&mut |finding| findings.push(finding)).await;
        findings
    }
}

impl App {
    /// A kept source, to be tried.
    pub(crate) fn kept_source(&self, name: &str) -> Result<SourceTrial, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Sources, name)?;
        SourceTrial::of(&configuration.workspace, name)
    }

    /// A source that need not be kept, to be tried.
    pub(crate) fn drafted_source(
        &self,
        name: Option<&str>,
        document: Map<String, Value>,
    ) -> Result<SourceTrial, Vec<Problem>> {
        let draft = self.draft(Section::Sources, name, document)?;
        SourceTrial::of(&draft.configuration.workspace, &draft.name).map_err(alone)
    }

    /// Tries a destination's credentials; gives what is wrong with them.
    pub(crate) async fn try_destination(
        &self,
        name: Option<&str>,
        document: Map<String, Value>,
    ) -> Result<Option<Failure>, Vec<Problem>> {
        let draft = self.draft(Section::Destinations, name, document)?;
        let workspace = &draft.configuration.workspace;
        let connector = workspace.connector(&draft.name).map_err(alone)?;
        let redactor = workspace.redactor().and(connector.redactor());
        Ok(connector.probe().await.map(|failure| without_secrets(&redactor, failure)))
    }

    /// Sends a test alert to a channel; gives what is wrong with it.
    pub(crate) async fn try_channel(
        &self,
        actor: &Actor,
        name: Option<&str>,
        document: Map<String, Value>,
    ) -> Result<Option<Failure>, Vec<Problem>> {
        let draft = self.draft(Section::Channels, name, document)?;
        let tried = self.alerts.try_channel(&draft.configuration, &draft.name).await;
        let subject = name.unwrap_or_default();
        self.note(actor, "channel.tested", subject).await.map_err(alone)?;
        Ok(tried.err())
    }
}
