//! What a mapping makes of one record, before the mapping is kept: payload and requests, and what becomes of
//! the record for real.

use std::sync::Arc;

use ebb_core::{
    Code, Failure, Record,
    config::Problem,
    port::{Clock, ShownRequest, Wanted},
};
use ebb_destination::Definition;
use ebb_engine::Job;
use ebb_workspace::{Freshness, SystemClock, Workspace};
use serde_json::{Map, Value};

use super::{App, Section, alone, operations::without_secrets};

/// A mapping that need not be kept, ready to be tried.
pub(crate) struct Drafted {
    pub(crate) job: Job,
    definition: Arc<Definition>,
    fields: Map<String, Value>,
}

/// What a mapping makes of a record, without secrets.
pub(crate) struct Rehearsal {
    /// The record's identifier.
    pub(crate) record_id: String,
    /// A JSON object, not yet held against the action's fields.
    pub(crate) payload: Result<String, Failure>,
    /// The exact requests that would be made first.
    pub(crate) requests: Result<Vec<ShownRequest>, Failure>,
}

impl App {
    /// Takes a mapping as it would be. `name` is that of the kept one that it would replace.
    pub(crate) fn drafted(
        &self,
        name: Option<&str>,
        document: Map<String, Value>,
    ) -> Result<Drafted, Vec<Problem>> {
        let draft = self.draft(Section::Mappings, name, document)?;
        let workspace = &draft.configuration.workspace;
        Drafted::of(workspace, &draft.name).map_err(|failure| alone(draft.told(failure)))
    }

    /// Takes a mapping as it is.
    pub(crate) fn kept(&self, name: &str) -> Result<Drafted, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Mappings, name)?;
        let told = |failure| without_secrets(&configuration.workspace.redactor(), failure);
        Drafted::of(&configuration.workspace, name).map_err(told)
    }

    /// What a mapping makes of a record of its model, or of the first one. Nothing is sent.
    pub(crate) async fn rehearse(
        &self,
        drafted: &Drafted,
        record_id: Option<&str>,
    ) -> Result<Rehearsal, Failure> {
        let job = &drafted.job;
        let now: Arc<str> = SystemClock.now().to_string().into();
        let model = &job.plan.mapping.model;
        let first = self.preview_model(model, Wanted::First, Freshness::Kept).await?;
        let set = first.records.of_mapping(job.plan.name.as_str().into(), Arc::clone(&now));
        let known = match record_id {
            Some(id) => set.iter().find(|record| record.record_id() == id),
            None => set.get(0),
        };
        match (known, record_id) {
            (Some(record), _) => Ok(self.made_of(drafted, record)),
            (None, Some(id)) => {
                let one = self.preview_model(model, Wanted::Record(id), Freshness::Kept).await?;
                let set = one.records.of_mapping(job.plan.name.as_str().into(), now);
                let record = set.get(0).ok_or_else(|| {
                    let message = format!("the model has no record `{id}`");
                    Failure::new(Code::RecordNotFound, message)
                })?;
                Ok(self.made_of(drafted, record))
            }
            (None, None) => {
                let message = "the model has no record to test with";
                Err(Failure::new(Code::RecordNotFound, message))
            }
        }
    }

    fn made_of(&self, drafted: &Drafted, record: Record<'_>) -> Rehearsal {
        let Drafted { job, definition, fields } = drafted;
        let redactor = job.delivery.redactor();
        let told = |failure| without_secrets(redactor, failure);
        let action = &job.plan.mapping.action;
        let payload = ebb_destination::payload(&definition.manifest, action, fields, record);
        Rehearsal {
            record_id: record.record_id().to_owned(),
            payload: payload.map(|payload| redactor.redact(&payload)).map_err(told),
            requests: self.engine.rehearse(job, record).map_err(told),
        }
    }
}

impl Drafted {
    fn of(workspace: &Workspace, name: &str) -> Result<Self, Failure> {
        let job = workspace.job_of(name)?;
        let mapping = workspace.mapping(name)?;
        let destination = workspace.project.destinations.get(&mapping.destination);
        let kind = destination.map_or("", |destination| &destination.kind);
        let definition = workspace.catalog.find(kind)?;
        Ok(Self { job, definition, fields: mapping.fields.clone() })
    }

    /// The field that a failure is about, if it names one.
    pub(crate) fn field_of(&self, failure: &Failure) -> Option<&str> {
        let action = self.definition.manifest.actions.get(&self.job.plan.mapping.action)?;
        action.visible().find(|key| failure.message().contains(&format!("`{key}`")))
    }
}
