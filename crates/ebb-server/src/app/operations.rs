//! What people and programs ask of one source, model, destination, mapping or sync. Pages and API tell the
//! same, each in its own way; whatever comes from outside is told without secrets.

use std::{sync::Arc, time::Duration};

use ebb_core::{
    Code, Column, Failure, Redactor, SyncId,
    config::Problem,
    port::{
        Cancellation, Clock, FailureGroup, ModelQuery, ShownRequest, Store, SyncRecord, Wanted,
    },
    usage::Report,
};
use ebb_destination::Definition;
use ebb_engine::{DryRun, Job, Journey, Outlook};
use ebb_workspace::{Freshness, Preview, SystemClock};
use serde_json::json;

use super::{App, Change, Section, alone, shown};
use crate::access::Actor;

/// One request of a trial and what was answered.
pub(crate) struct Said {
    pub(crate) request: ShownRequest,
    pub(crate) status: u16,
    pub(crate) elapsed: Duration,
    pub(crate) body: String,
}

/// What became of a test record.
pub(crate) struct Tried {
    pub(crate) exchanges: Vec<Said>,
    /// Whether the destination took it.
    pub(crate) outcome: Result<(), Failure>,
}

impl App {
    /// Tries a destination's credentials; gives what is wrong with them.
    pub(crate) async fn probe_destination(&self, name: &str) -> Result<Option<Failure>, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Destinations, name)?;
        let redactor = configuration.workspace.redactor();
        let connector = configuration.workspace.connector(name);
        let connector = connector.map_err(|failure| without_secrets(&redactor, failure))?;
        let redactor = redactor.and(connector.redactor());
        Ok(connector.probe().await.map(|failure| without_secrets(&redactor, failure)))
    }

    /// What a destination is.
    pub(crate) fn definition(&self, destination: &str) -> Result<Arc<Definition>, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Destinations, destination)?;
        configuration.workspace.definition(destination)
    }

    /// Sends a test alert to a channel; gives what is wrong with it.
    pub(crate) async fn test_channel(
        &self,
        actor: &Actor,
        name: &str,
    ) -> Result<Option<Failure>, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Channels, name)?;
        let tried = self.alerts.try_channel(&configuration, name).await;
        self.note(actor, "channel.tested", name).await?;
        Ok(tried.err())
    }

    /// Some records of a model.
    pub(crate) async fn preview_model(
        &self,
        name: &str,
        wanted: Wanted<'_>,
        freshness: Freshness,
    ) -> Result<Preview, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Models, name)?;
        let model = configuration.workspace.model(name)?;
        let workspace = &configuration.workspace;
        workspace.preview(&self.store, &model.source, &model.query(), wanted, freshness).await
    }

    /// The first records of a query that no model has yet. `id` is empty where no column is chosen.
    pub(crate) async fn preview_query(
        &self,
        source: &str,
        sql: String,
        id: String,
        freshness: Freshness,
    ) -> Result<Preview, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Sources, source)?;
        let query = ModelQuery { sql, id, ..ModelQuery::default() };
        let workspace = &configuration.workspace;
        workspace.preview(&self.store, source, &query, Wanted::First, freshness).await
    }

    /// The columns of a model, asked of its source without running the query.
    pub(crate) async fn columns(&self, name: &str) -> Result<Vec<Column>, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Models, name)?;
        let workspace = &configuration.workspace;
        let redactor = workspace.redactor();
        let model = workspace.model(name)?;
        let asked = async { workspace.warehouse(&model.source)?.columns(&model.query()).await };
        asked.await.map_err(|failure| without_secrets(&redactor, failure))
    }

    /// What a sync would do now, with the exact requests of the first `show` records.
    pub(crate) async fn plan(&self, mapping: &str, show: usize) -> Result<DryRun, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Mappings, mapping)?;
        let job = configuration.workspace.job_of(mapping)?;
        let redactor = job.delivery.redactor().clone();
        let told = |failure: Failure| without_secrets(&redactor, failure);
        let mut plan = self.engine.dry_run(job, show).await.map_err(told)?;
        plan.held = plan.held.map(told);
        for (_, failure) in &mut plan.rejected {
            *failure = told(failure.clone());
        }
        Ok(plan)
    }

    /// Sends one record for real, and says what was answered. Nothing is tracked.
    pub(crate) async fn trial(
        &self,
        actor: &Actor,
        mapping: &str,
        record_id: &str,
    ) -> Result<Tried, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Mappings, mapping)?;
        let job = configuration.workspace.job_of(mapping)?;
        self.send_record(actor, job, mapping, record_id).await
    }

    /// Sends one record for real by a job that need not be that of a kept mapping. `subject` is told in the
    /// audit log.
    pub(crate) async fn send_record(
        &self,
        actor: &Actor,
        job: Job,
        subject: &str,
        record_id: &str,
    ) -> Result<Tried, Failure> {
        let redactor = job.delivery.redactor().clone();
        let told = |failure: Failure| without_secrets(&redactor, failure);
        let trial = self.engine.trial(job, record_id).await.map_err(told)?;
        // It was sent: who hears of a failure would send it again.
        if let Err(failure) = self.note(actor, "record.tested", subject).await {
            tracing::warn!(%failure, subject, "a test record is not in the audit log");
        }
        let exchanges = trial.exchanges.iter().map(|exchange| Said {
            request: exchange.request.shown(&redactor),
            status: exchange.reply.status,
            elapsed: exchange.reply.elapsed,
            body: redactor.redact(&String::from_utf8_lossy(&exchange.reply.body)),
        });
        Ok(Tried { exchanges: exchanges.collect(), outcome: trial.outcome.map_err(told) })
    }

    /// Switches a mapping or destination on or off; gives its new version. `expected` is the version that
    /// whoever asks has seen, if they have.
    pub(crate) async fn switch(
        &self,
        actor: &Actor,
        (section, name): (Section, &str),
        on: bool,
        expected: Option<i64>,
    ) -> Result<i64, Vec<Problem>> {
        let configuration = self.configuration();
        configuration.find(section, name).map_err(alone)?;
        let entry = configuration.made(section, name);
        let document = entry.and_then(|entry| shown(&entry.document).as_object().cloned());
        let mut document = document.unwrap_or_default();
        document.insert("enabled".to_owned(), on.into());
        let expected = expected.or_else(|| entry.map(|entry| entry.version));
        let (name, document) = (name.to_owned(), Some(document));
        self.change(&actor.told(), Change { section, name, document, expected }).await
    }

    /// How many records destinations got in this month and in those before it.
    pub(crate) async fn usage(&self) -> Result<Report, Failure> {
        let now = SystemClock.now();
        let used = self.store.used(Report::since(now)).await?;
        Ok(Report::new(&used, self.configuration().workspace.project.usage, now))
    }

    /// What a mapping does next.
    pub(crate) fn outlook(&self, mapping: &str) -> Result<Outlook, Failure> {
        self.configuration().find(Section::Mappings, mapping)?;
        self.scheduler.with(|table| table.outlook(mapping)).ok_or_else(|| {
            Failure::new(Code::AddressUnknown, format!("there is no mapping `{mapping}`"))
        })
    }

    /// A sync by its whole identity.
    pub(crate) async fn sync(&self, id: &str) -> Result<SyncRecord, Failure> {
        let unknown = |_| Failure::new(Code::SyncNotFound, format!("there is no sync `{id}`"));
        let id: SyncId = id.parse().map_err(unknown)?;
        self.store.sync(id).await
    }

    /// All failures of a sync: the rows that the diff discarded, then the records that failed later.
    pub(crate) async fn failures(&self, sync: &SyncRecord) -> Result<Vec<FailureGroup>, Failure> {
        let mut groups =
            sync.diff.as_ref().map(ebb_core::port::Diff::failure_groups).unwrap_or_default();
        groups.extend(self.store.failure_groups(sync.id).await?);
        Ok(groups)
    }

    /// What became of one record in the past syncs of a mapping.
    pub(crate) async fn journey(&self, mapping: &str, record_id: &str) -> Result<Journey, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Mappings, mapping)?;
        let redactor = configuration.workspace.redactor();
        self.engine.journey(mapping, record_id, &redactor).await
    }

    /// Asks a sync to end, for a reason that may be empty. Says whether it runs: one that has ended stays as
    /// it is.
    pub(crate) async fn cancel(
        &self,
        actor: &Actor,
        sync: &SyncRecord,
        reason: &str,
    ) -> Result<bool, Failure> {
        let cancellation = Cancellation::new(&actor.told(), reason)?;
        if sync.status.is_final() {
            return Ok(false);
        }
        self.store.request_cancel(sync.id, &cancellation).await?;
        let reason = cancellation.reason.map(|reason| json!({ "reason": reason }));
        self.note_change(actor, "sync.canceled", &sync.id.to_string(), [None, reason]).await?;
        Ok(true)
    }
}

pub(super) fn without_secrets(redactor: &Redactor, failure: Failure) -> Failure {
    failure.map_message(|text| redactor.redact(&text))
}
