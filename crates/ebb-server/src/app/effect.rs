//! What an edit means for the records that were sent before it, told before it is made.

use std::{collections::BTreeSet, time::Duration};

use ebb_core::{
    Code, Failure, Operation, Subscription, Tally,
    port::{Diff, Store, Tracked, Warehouse},
};
use ebb_engine::{Effect, Mappings, Work};
use ebb_workspace::Workspace;
use tokio::time::{Instant, timeout, timeout_at};

use super::{App, Section, draft::Draft};

/// A mapping that has sent something, is switched on, and means another thing after an edit.
#[derive(Debug, Clone)]
pub(crate) struct Touched {
    pub(crate) mapping: String,
    pub(crate) effect: Effect,
    /// The changes that it sends after the edit.
    pub(crate) records: Subscription,
}

/// How many records an edit touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So many were sent, and stay as they are.
    Stay(u64),
    /// The next sync finds these changes; only those that the mapping sends go out.
    Change(Tally),
}

impl Touched {
    /// What may be done beside the edit.
    pub(crate) fn offers(&self) -> Option<Work> {
        let offered = self.effect.offers();
        offered.filter(|work| *work != Work::Backfill || self.records.takes(Operation::Updated))
    }
}

impl App {
    /// The mappings that an edit of a mapping or a model touches, by name.
    pub(crate) async fn touched(
        &self,
        draft: &Draft,
        section: Section,
    ) -> Result<Vec<Touched>, Failure> {
        let (before, after) = (&self.configuration().workspace, &draft.configuration.workspace);
        let mut touched = Vec::new();
        for (name, mapping) in &after.project.mappings {
            let edited = match section {
                Section::Mappings => *name == draft.name,
                Section::Models => mapping.model == draft.name,
                Section::Sources
                | Section::Destinations
                | Section::Channels
                | Section::AlertRules => false,
            };
            if edited {
                touched.extend(self.touch(before, after, name).await?);
            }
        }
        Ok(touched)
    }

    /// Whether a change of the configuration touches a mapping that was there before it.
    pub(super) async fn touch(
        &self,
        before: &Workspace,
        after: &Workspace,
        name: &str,
    ) -> Result<Option<Touched>, Failure> {
        if before.enabled(name).is_err() || after.enabled(name).is_err() {
            return Ok(None);
        }
        let (old, new) = (before.mapping(name)?, after.mapping(name)?);
        let models = (before.model(&old.model)?, after.model(&new.model)?);
        let effect = Effect::of((old, models.0), (new, models.1));
        if effect == Effect::Nothing || self.store.latest_sync(name).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Touched { mapping: name.to_owned(), effect, records: new.records }))
    }

    /// How many records an edit touches, as the source counts them. `S106` if that takes longer than
    /// until a moment.
    pub(crate) async fn extent(
        &self,
        draft: &Draft,
        touched: &Touched,
        until: Instant,
    ) -> Result<Extent, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        let counted = self.count(&draft.configuration.workspace, touched, left).await;
        counted.map_err(|failure| draft.told(failure))
    }

    /// How many records of a mapping were sent and are still followed. The outer failure is that there is no
    /// such mapping, the inner one that its source does not tell.
    pub(crate) async fn tracked(&self, mapping: &str) -> Result<Result<u64, Failure>, Failure> {
        /// Somebody sits there and waits.
        const LONGEST: Duration = Duration::from_secs(30);
        let configuration = self.configuration();
        configuration.find(Section::Mappings, mapping)?;
        Ok(self.sent_before(&configuration.workspace, mapping, LONGEST).await)
    }

    /// The columns that a mapping reads and that its model does not have any more after an edit; none where
    /// the source does not tell until a moment.
    pub(crate) async fn lacking(
        &self,
        draft: &Draft,
        touched: &Touched,
        until: Instant,
    ) -> BTreeSet<String> {
        let Touched { mapping, effect, .. } = touched;
        if !matches!(effect, Effect::SentAgain | Effect::All) {
            return BTreeSet::new();
        }
        let workspace = &draft.configuration.workspace;
        let asked = async {
            let mut job = workspace.job_of(mapping)?;
            job.plan.columns = job.warehouse.columns(&job.query).await?;
            let tracked = self.still_tracked(mapping, &*job.warehouse).await?;
            job.lacking(tracked.as_ref())
        };
        match timeout_at(until, asked).await {
            Ok(Ok(lacking)) => lacking,
            Ok(Err(_)) | Err(_) => BTreeSet::new(),
        }
    }

    async fn count(
        &self,
        workspace: &Workspace,
        touched: &Touched,
        longest: Duration,
    ) -> Result<Extent, Failure> {
        let Touched { mapping, effect, .. } = touched;
        match effect {
            Effect::SentAgain | Effect::All => {
                let Diff { changes, .. } =
                    self.engine.count(workspace.job_of(mapping)?, longest).await?;
                Ok(Extent::Change(changes))
            }
            Effect::Nothing | Effect::LaterRecords | Effect::OtherDestination => {
                Ok(Extent::Stay(self.sent_before(workspace, mapping, longest).await?))
            }
        }
    }

    /// The tracked state of a mapping, which counts unless the mapping was made again since.
    async fn still_tracked(
        &self,
        mapping: &str,
        warehouse: &dyn Warehouse,
    ) -> Result<Option<Tracked>, Failure> {
        if self.store.made_anew(mapping).await?.is_some() {
            return Ok(None);
        }
        warehouse.tracked(mapping).await
    }

    async fn sent_before(
        &self,
        workspace: &Workspace,
        mapping: &str,
        longest: Duration,
    ) -> Result<u64, Failure> {
        let warehouse = workspace.warehouse(&workspace.plan(mapping)?.model.source)?;
        let asked = timeout(longest, self.still_tracked(mapping, &*warehouse)).await;
        let late = |_| Failure::new(Code::SourceTimeout, "the source does not answer in time");
        Ok(asked.map_err(late)??.map_or(0, |tracked| tracked.records))
    }
}
