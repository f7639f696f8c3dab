//! Sources, destinations and channels that are tried before they are kept. `name` is that of a kept one that
//! would be replaced, of which secrets that are left out are taken.

use ebb_core::{Failure, config::Problem, port::Finding};
use serde_json::{Map, Value};

use super::{App, Section, alone, operations::without_secrets};
use crate::access::Actor;

impl App {
    /// Tries what a sync would need of a source, step by step.
    pub(crate) async fn try_source(
        &self,
        name: Option<&str>,
        document: Map<String, Value>,
    ) -> Result<Vec<Finding>, Vec<Problem>> {
        let draft = self.draft(Section::Sources, name, document)?;
        let warehouse = draft.configuration.workspace.warehouse(&draft.name).map_err(alone)?;
        let told = |finding: Finding| Finding {
            failure: finding.failure.map(|failure| draft.told(failure)),
            ..finding
        };
        Ok(warehouse.check().await.into_iter().map(told).collect())
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
