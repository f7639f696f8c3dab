//! What people ask for, with its line in the audit log.

use ebb_core::{Code, Failure, port::Clock};
use ebb_engine::{Work, sends_again};
use ebb_store::{AuditLine, Once};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{App, Section, new_id};
use crate::access::{Actor, digest_of};

/// A run of a job of dbt Cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JobRun {
    pub(crate) job: u64,
    pub(crate) run: u64,
}

impl App {
    /// Asks for work on a mapping; it starts as soon as there is a place.
    pub(crate) async fn request(
        &self,
        actor: &Actor,
        mapping: &str,
        work: Work,
    ) -> Result<(), Failure> {
        self.configuration().find(Section::Mappings, mapping)?;
        let configuration = self.configuration();
        configuration.workspace.enabled(mapping)?;
        if matches!(work, Work::Backfill | Work::ApprovedBackfill) {
            sends_again(configuration.workspace.mapping(mapping)?)?;
        }
        if !self.scheduler.with(|table| table.request(mapping, work)) {
            let message = format!("there is no mapping `{mapping}`");
            return Err(Failure::new(Code::AddressUnknown, message));
        }
        let action = match work {
            Work::Sync => "sync.requested",
            Work::ApprovedSync => "sync.approved",
            Work::Backfill => "backfill.requested",
            Work::ApprovedBackfill => "backfill.approved",
            Work::Replay { .. } => "replay.requested",
            Work::Rebase => "rebase.requested",
        };
        self.note(actor, action, mapping).await
    }

    /// A run of a job of dbt Cloud ended well: the mappings that follow the job are to sync, once for each event.
    /// Tells which. `oldest` is the moment before which no event is taken.
    pub(crate) async fn dbt_cloud_job_ended(
        &self,
        event: &str,
        JobRun { job, run }: JobRun,
        now: Timestamp,
        oldest: Timestamp,
    ) -> Result<Vec<String>, Failure> {
        let told = json!({ "job": job, "run": run });
        let key = digest_of(&format!("dbt-cloud {event}"));
        let once = Once { key, request: format!("dbt-cloud {told}") };
        if self.store.answer_once(&once, &told, now, oldest).await?.is_some() {
            return Ok(Vec::new());
        }
        let mappings = self.scheduler.with(|table| table.dbt_cloud_job_ended(job, run));
        for mapping in &mappings {
            let line = AuditLine {
                id: new_id(),
                at: now,
                actor: "dbt Cloud".to_owned(),
                action: "sync.requested".to_owned(),
                subject: mapping.clone(),
                before: None,
                after: Some(told.clone()),
            };
            self.store.note(line).await?;
        }
        Ok(mappings)
    }

    /// Forgets the tracked state of a mapping: its next sync sees every record as added.
    pub(crate) async fn reset(&self, actor: &Actor, mapping: &str) -> Result<(), Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Mappings, mapping)?;
        let model = &configuration.workspace.mapping(mapping)?.model;
        let source = &configuration.workspace.model(model)?.source;
        let warehouse = configuration.workspace.warehouse(source)?;
        self.engine.reset(mapping, &*warehouse).await?;
        self.note(actor, "mapping.reset", mapping).await
    }

    /// Writes a line of the audit log for what changes nothing that is configured.
    pub(crate) async fn note(
        &self,
        actor: &Actor,
        action: &str,
        subject: &str,
    ) -> Result<(), Failure> {
        self.note_change(actor, action, subject, [None, None]).await
    }

    /// Writes a line of the audit log with how something was before, and how it is now.
    pub(super) async fn note_change(
        &self,
        actor: &Actor,
        action: &str,
        subject: &str,
        change: [Option<Value>; 2],
    ) -> Result<(), Failure> {
        self.note_as(&actor.told(), action, subject, change).await
    }

    /// The same of somebody who has no session yet, or of what is nobody.
    pub(crate) async fn note_as(
        &self,
        actor: &str,
        action: &str,
        subject: &str,
        [before, after]: [Option<Value>; 2],
    ) -> Result<(), Failure> {
        let line = AuditLine {
            id: new_id(),
            at: SystemClock.now(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            before,
            after,
        };
        self.store.note(line).await
    }
}
