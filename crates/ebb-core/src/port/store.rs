//! The control database as the engine sees it: syncs, their parts, their journal.

use async_trait::async_trait;
use jiff::Timestamp;
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};

use super::{Diff, PartInfo, RequestHead};
use crate::{
    Code, Counts, Failure, Operation, PartNumber, SyncId,
    usage::{Cycle, Used},
};

/// Why a sync runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncKind {
    /// To deliver what changed.
    Sync,
    /// To deliver every record again, whether or not it changed.
    Backfill,
    /// To deliver a past sync's changes again; commits nothing.
    Replay {
        /// The past sync.
        of: SyncId,
    },
    /// To take new checksums over; sends nothing.
    Rebase,
}

/// Where a sync stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The diff runs in the warehouse.
    Extracting,
    /// Changes are staged and delivered.
    Loading,
    /// The tracked state takes the outcomes over.
    Committing,
    /// Every change was delivered, or there was none.
    Succeeded,
    /// Some changes failed or were discarded.
    Partial,
    /// The sync could not go on; see its failure.
    Failed,
    /// Somebody canceled it; what was delivered is committed.
    Canceled,
    /// It waits for approval; nothing was sent.
    Held,
}

impl Status {
    /// Whether the sync has ended.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Extracting | Self::Loading | Self::Committing => false,
            Self::Succeeded | Self::Partial | Self::Failed | Self::Canceled | Self::Held => true,
        }
    }

    /// The status as users see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extracting => "extracting",
            Self::Loading => "loading",
            Self::Committing => "committing",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Held => "held",
        }
    }
}

/// How long a phase of a sync took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// `diff`, `stage`, `load` or `commit`.
    pub name: String,
    /// Wall time in milliseconds. Staging and loading overlap.
    pub millis: u64,
}

/// That somebody asked a sync to end early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Who; `None` of a sync that an Ebb canceled which did not keep it.
    pub by: Option<String>,
    /// Why, if they said it.
    pub reason: Option<String>,
}

impl Cancellation {
    /// Characters that a reason may have.
    pub const MOST: usize = 500;

    /// Of somebody who says why, or leaves it empty. `A610` for a reason that is too long.
    pub fn new(by: &str, reason: &str) -> Result<Self, Failure> {
        let reason = reason.trim();
        let (length, most) = (reason.chars().count(), Self::MOST);
        if length > most {
            let message = format!("the reason has `{length}` characters, and may have `{most}`");
            return Err(Failure::new(Code::RequestInvalid, message).help("Say it shorter"));
        }
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        Ok(Self { by: Some(by.to_owned()), reason })
    }

    /// Who and why as one sentence without its end.
    pub fn told(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let why = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("canceled{by}{why}")
    }
}

/// A sync as the control database keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// Its identity.
    pub id: SyncId,
    /// The mapping's name.
    pub mapping: String,
    /// Why it runs.
    pub kind: SyncKind,
    /// Where it stands.
    pub status: Status,
    /// Mapping, model and source as they were when it began, without secrets.
    pub plan: serde_json::Value,
    /// When it began; also the timestamp of its events.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long each phase took.
    pub phases: Vec<Phase>,
    /// What the diff found; `None` until the changes table is written.
    pub diff: Option<Diff>,
    /// Whether all changes are staged.
    pub staged: bool,
    /// What became of the changes; kept by [`Store::record`] while loading.
    pub counts: Counts,
    /// What ended the sync, if anything did.
    pub failure: Option<Failure>,
    /// Who asked it to end early; kept by [`Store::request_cancel`], whatever is saved.
    #[serde(skip)]
    pub cancellation: Option<Cancellation>,
    /// Whether its changes table is dropped; while it is not, the mapping's next sync tries again.
    #[serde(default)]
    pub changes_dropped: bool,
    /// Things a person should know, such as values that became null, with how many.
    pub warnings: Vec<(String, u64)>,
}

impl SyncRecord {
    /// The destination that its plan names.
    pub fn destination(&self) -> Option<&str> {
        self.plan.pointer("/mapping/destination")?.as_str()
    }
}

/// How many records a sync tried, by what its journal counts and tells of failures.
pub fn processed(journaled: &Counts, failures: &[FailureGroup]) -> u64 {
    let Counts { delivered, failed, discarded, .. } = journaled;
    let never_sent = failures.iter().filter(|group| {
        group.verdict == Verdict::Discarded && group.failure.code.is_before_sending()
    });
    let settled = delivered.total() + failed.total() + discarded.total();
    settled.saturating_sub(never_sent.map(|group| group.count).sum())
}

/// What became of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The destination took it.
    Delivered,
    /// The next sync tries it again.
    Failed,
    /// It will never work.
    Discarded,
}

/// A failed record, as people see it: redacted, and cut at some kilobytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The record's identifier.
    pub record_id: String,
    /// Where it was sent; `None` if nothing was, and in syncs of an Ebb that did not keep it.
    #[serde(default)]
    pub request: Option<RequestHead>,
    /// What was sent, or the record if nothing could be.
    pub payload: String,
    /// What was answered.
    pub reply: Option<String>,
}

/// One change's outcome, as the journal takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// The change's place in the sync.
    pub seq: u64,
    /// Its operation.
    pub operation: Operation,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, unless it was delivered. Only [`Verdict::Failed`] entries with a failure count as an
    /// attempt; entries without one were not tried.
    pub failure: Option<Box<(Failure, Sample)>>,
}

/// Failures of one code and message within a sync.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailureGroup {
    /// Code, message and advice.
    pub failure: Failure,
    /// Whether its records are tried again or not.
    pub verdict: Verdict,
    /// How many records failed so.
    pub count: u64,
    /// The first few of them.
    pub samples: Vec<Sample>,
}

/// Failures of one code and message with the changes that they are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The failures.
    pub group: FailureGroup,
    /// The `seq` of each; none in a sync of an Ebb that did not keep them.
    pub seqs: RoaringTreemap,
}

/// The outcomes of a sync by `seq`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcomes {
    /// Changes the destination took.
    pub delivered: RoaringTreemap,
    /// Changes the next sync tries again.
    pub failed: RoaringTreemap,
    /// Changes that will never work.
    pub discarded: RoaringTreemap,
}

/// How often a record failed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Syncs in which it failed.
    pub count: u32,
    /// When it failed first.
    pub since: Timestamp,
}

/// The right to sync a mapping (I6). Dropping it gives the right back, and so does the death of
/// the process.
pub trait Lock: Send + Sync {}

/// The control database.
///
/// Writes are durable when the method returns, with one exception: [`Store::record`].
#[async_trait]
pub trait Store: Send + Sync {
    /// Takes the right to sync a mapping; `R407` if somebody has it.
    async fn lock(&self, mapping: &str) -> Result<Box<dyn Lock>, Failure>;

    /// Writes a sync anew or over its older form. Until its status is final, the counts of outcomes
    /// are those that [`Store::record`] keeps; what was extracted and what is not subscribed to are
    /// the record's, written in the same transaction as the diff that they come from.
    async fn save(&self, sync: &SyncRecord) -> Result<(), Failure>;

    /// Reads a sync; `R416` if there is none.
    async fn sync(&self, id: SyncId) -> Result<SyncRecord, Failure>;

    /// The newest syncs first, of one mapping or of all.
    async fn syncs(&self, mapping: Option<&str>, limit: usize) -> Result<Vec<SyncRecord>, Failure>;

    /// The sync of a mapping that has not ended, if any.
    async fn unfinished(&self, mapping: &str) -> Result<Option<SyncRecord>, Failure>;

    /// Asks a running sync to end; it sees it within a second. Who asks first is kept.
    async fn request_cancel(&self, id: SyncId, by: &Cancellation) -> Result<(), Failure>;

    /// Whether somebody asked the sync to end.
    async fn cancel_requested(&self, id: SyncId) -> Result<bool, Failure>;

    /// Notes that a part is stored.
    async fn add_part(&self, sync: SyncId, part: &PartInfo) -> Result<(), Failure>;

    /// The parts of a sync in order.
    async fn parts(&self, sync: SyncId) -> Result<Vec<PartInfo>, Failure>;

    /// Forgets the parts of a sync.
    async fn forget_parts(&self, sync: SyncId) -> Result<(), Failure>;

    /// Appends outcomes of one part, with counts, failure groups and attempts, in one transaction.
    /// When it returns the outcomes survive the death of the process, and within 100 ms a power
    /// loss. A seq that has an outcome already is passed over, so repeating is harmless.
    async fn record(
        &self,
        sync: SyncId,
        part: PartNumber,
        entries: Vec<JournalEntry>,
    ) -> Result<(), Failure>;

    /// All outcomes of a sync so far.
    async fn outcomes(&self, sync: SyncId) -> Result<Outcomes, Failure>;

    /// The failures of a sync, most records first.
    async fn failure_groups(&self, sync: SyncId) -> Result<Vec<FailureGroup>, Failure>;

    /// The same with the changes that failed so.
    async fn reasons(&self, sync: SyncId) -> Result<Vec<Reason>, Failure>;

    /// How often records of a mapping failed before this sync, in the order of `record_ids`.
    async fn attempts(
        &self,
        mapping: &str,
        sync: SyncId,
        record_ids: &[&str],
    ) -> Result<Vec<Option<Attempts>>, Failure>;

    /// Forgets the attempts of records that did not fail in this sync: it went through all changes.
    async fn settle_attempts(&self, mapping: &str, sync: SyncId) -> Result<(), Failure>;

    /// Whether a mapping was deleted and made again since its name last synced: the version of the new one.
    /// What the old one sent is to be forgotten.
    async fn made_anew(&self, mapping: &str) -> Result<Option<i64>, Failure>;

    /// What was sent before this version of a mapping is forgotten.
    async fn begun_anew(&self, mapping: &str, version: i64) -> Result<(), Failure>;

    /// What destinations got in this month and those behind it, by the month in which a sync began. A
    /// sync counts from its first outcome on, exactly once, whatever was interrupted.
    async fn used(&self, since: Cycle) -> Result<Vec<Used>, Failure>;

    /// Syncs that ended before a moment and still have parts.
    async fn with_parts_before(&self, moment: Timestamp) -> Result<Vec<SyncId>, Failure>;
}
