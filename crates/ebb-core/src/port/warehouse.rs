//! A source as the engine sees it: it diffs, streams and commits, and keeps the tracked state.

use std::{collections::BTreeMap, time::Duration};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};

use super::{FailureGroup, Sample, Tables, Verdict};
use crate::{Code, Column, Failure, Operation, SyncId, Tally};

/// Record batches as they come; each next one is asked for when the last is handled. Dropping the
/// stream cancels the query where the driver can.
pub type BatchStream = BoxStream<'static, Result<RecordBatch, Failure>>;

/// A model's query and the columns that matter to Ebb.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelQuery {
    /// The SQL text, one query.
    pub sql: String,
    /// The identifier column. Empty while nobody has chosen one: then there is nothing but a preview.
    pub id: String,
    /// The timestamp column of an incremental model.
    pub timestamp: Option<String>,
    /// How far before its checkpoint an incremental model is read again. Rows that were delivered are
    /// recognised; rows that arrived late are found.
    pub lookback: Duration,
}

/// One step of a connection test and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was tried, such as `create schema`.
    pub step: &'static str,
    /// What went wrong, if anything.
    pub failure: Option<Failure>,
}

/// Which records of a model somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted<'a> {
    /// The first ones.
    First,
    /// The one with this identifier, as text.
    Record(&'a str),
    /// Those with this text, in small letters or capitals, in the identifier or a column of text; the one that it
    /// identifies comes first. The warehouse reads the whole model for it.
    Containing(&'a str),
}

/// Some records of a model, for people.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The model's columns.
    pub columns: Vec<Column>,
    /// Rows in the form of a part (see `record::staged_schema`), all as added.
    pub rows: RecordBatch,
}

/// How checksums were made: when it differs from today's, stored checksums cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Version of the recipe and of the engine that computed it, such as `1/postgres-15`.
    pub version: String,
    /// `name type` of the columns that went in, sorted; identifier type first.
    pub columns: Vec<String>,
    /// How often everything was to be sent again. It goes into every checksum, so a record that was not
    /// delivered since differs from the model whatever its columns say.
    #[serde(default)]
    pub generation: u32,
}

/// The tracked state of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// How its checksums were made.
    pub recipe: Recipe,
    /// The sync whose commit was the last.
    pub sync: Option<SyncId>,
    /// How many records are tracked.
    pub records: u64,
    /// Where the next sync of an incremental model starts, as text of the timestamp column.
    pub checkpoint: Option<String>,
}

/// What one diff is to do.
#[derive(Debug, Clone)]
pub struct DiffJob {
    /// The sync; names its changes table.
    pub sync: SyncId,
    /// The mapping; names its tracked tables.
    pub mapping: String,
    /// The source's name, for the checkpoints table.
    pub source: String,
    /// The model's name, for the checkpoints table.
    pub model_name: String,
    /// The model.
    pub model: ModelQuery,
    /// The model's columns, as [`Warehouse::columns`] gave them.
    pub columns: Vec<Column>,
    /// The generation of the checksums; see [`Recipe::generation`]. With another one than the tracked
    /// state's every tracked record differs, and an incremental model is read as a whole.
    pub generation: u32,
    /// Whether tracked state holds the delivered values, for deletes.
    pub keep_deleted_values: bool,
    /// At most so many changes are written; what exceeds it is found by the next diff.
    pub limit: u64,
    /// Whether a record that is gone is deleted even while more rows than before have no identifier.
    pub trust_deletes: bool,
}

/// Rows that a diff put aside because they cannot be identified.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Discarded {
    /// Rows whose identifier is null.
    pub null: u64,
    /// Rows whose identifier other rows have too, by operation (`added` if the identifier is not
    /// tracked, else `updated`).
    pub duplicates: Tally,
    /// Some of the identifiers that several rows have.
    pub duplicate_ids: Vec<String>,
}

/// What a diff found. The changes lie in `changes_<sync>` until [`Warehouse::finish`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Diff {
    /// Changes by operation, without the discarded rows.
    pub changes: Tally,
    /// Rows without a usable identifier; the tracked state of theirs stays as it is.
    pub discarded: Discarded,
    /// Records that are gone while more rows than before have no identifier: one of those may be
    /// theirs, so they are not deleted and stay tracked, unless [`DiffJob::trust_deletes`].
    #[serde(default)]
    pub withheld: u64,
    /// Records that were tracked before.
    pub tracked: u64,
    /// Whether there was a tracked state at all; without one all records are added.
    pub first: bool,
    /// Whether the model returned no row at all. Unknown (false) for incremental models.
    pub empty: bool,
    /// Values among the added and updated records that are NaN or infinite, and become null.
    #[serde(default)]
    pub not_finite: u64,
    /// Bytes that the diff's statements read, where the warehouse counts them; it may bill by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned: Option<u64>,
}

/// What the tracked state takes over from a changes table, in one transaction.
///
/// Applied are all changes except the excepted ones; duplicates and null identifiers never are.
/// Doing it twice gives the same state.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The job whose diff wrote the changes.
    pub job: DiffJob,
    /// `seq` of changes that stay out (failed or not sent), or, when `inverted`, of the only ones
    /// that go in: whichever is the smaller. Only changes with an operation of `subscribed` are
    /// meant; the others always go in.
    pub seqs: RoaringTreemap,
    /// Whether `seqs` lists what goes in.
    pub inverted: bool,
    /// The operations that were sent.
    pub subscribed: Vec<Operation>,
}

/// A source, connected. Reads the model, writes in the managed schema alone.
///
/// Every method opens what it needs and lets it go: a slow destination never holds a session open.
/// Failures carry `S1xx` codes. What changes the tracked state is atomic, and every method may be
/// called again after it failed.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// Tries what a sync needs, and tells each step when it is over: reach, sign in (of a file: open), read,
    /// create schema, write, drop. After one that fails nothing else is tried.
    async fn try_steps(&self, told: &mut (dyn FnMut(Finding) + Send));

    /// All steps at once.
    async fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.try_steps(&mut |finding| findings.push(finding)).await;
        findings
    }

    /// The columns of a model's result, without running it. Checks that it is one query, that
    /// identifier and timestamp exist, that the identifier's type can identify, and the limits.
    async fn columns(&self, model: &ModelQuery) -> Result<Vec<Column>, Failure>;

    /// Some rows of a model, read in a read-only transaction. Without an identifier column, the first that
    /// could identify stands for it.
    async fn preview(
        &self,
        model: &ModelQuery,
        wanted: Wanted<'_>,
        limit: usize,
    ) -> Result<Preview, Failure>;

    /// The tables and views that the source's user may read, with their columns. What is not there for
    /// models is left out: Ebb's own tables, and the engine's.
    async fn tables(&self) -> Result<Tables, Failure>;

    /// The tracked state of a mapping; `None` before its first commit and after a reset.
    async fn tracked(&self, mapping: &str) -> Result<Option<Tracked>, Failure>;

    /// How today's checksums of these columns are made.
    fn recipe(&self, job: &DiffJob) -> Recipe;

    /// Writes what differs from the tracked state to `changes_<sync>`, replacing what an
    /// interrupted attempt left there. The model is evaluated once.
    async fn diff(&self, job: &DiffJob) -> Result<Diff, Failure>;

    /// Streams the changes of some operations with `seq > after`, in the order of `seq`, in the
    /// form of a part. Fails with `S107` if the changes table is not there.
    async fn changes(
        &self,
        job: &DiffJob,
        operations: &[Operation],
        after: Option<u64>,
    ) -> Result<BatchStream, Failure>;

    /// Whether the changes table of a sync exists.
    async fn has_changes(&self, job: &DiffJob) -> Result<bool, Failure>;

    /// Takes changes over into the tracked state; see [`Commit`].
    async fn commit(&self, commit: &Commit) -> Result<(), Failure>;

    /// Drops the changes table; nothing happens if it is gone.
    async fn finish(&self, job: &DiffJob) -> Result<(), Failure>;

    /// The syncs of which tables lie in the managed schema, whoever ran them, with the tables' names.
    async fn leftovers(&self) -> Result<BTreeMap<SyncId, Vec<String>>, Failure>;

    /// Drops the tables of a sync that is over, as [`Warehouse::finish`] does for a job.
    async fn clean(&self, sync: SyncId) -> Result<(), Failure>;

    /// Evaluates the model and takes all its checksums over as tracked, sending nothing. Records
    /// tracked before and gone now stay tracked, so that the next sync sees them as deleted; records
    /// never tracked are not taken over. Gives the number of checksums that changed.
    async fn rebase(&self, job: &DiffJob) -> Result<u64, Failure>;

    /// Forgets the tracked state of a mapping.
    async fn reset(&self, mapping: &str) -> Result<(), Failure>;
}

impl Diff {
    /// The discarded rows as failures of their sync, for people.
    pub fn failure_groups(&self) -> Vec<FailureGroup> {
        let group = |code: Code, message: &str, count: u64, ids: &[String]| FailureGroup {
            failure: Failure::new(code, message),
            verdict: Verdict::Discarded,
            count,
            samples: ids
                .iter()
                .map(|id| Sample { record_id: id.clone(), payload: String::new(), reply: None })
                .collect(),
        };
        let Discarded { null, duplicates, duplicate_ids } = &self.discarded;
        let mut groups = Vec::new();
        if *null > 0 {
            groups.push(group(Code::NullIdentifier, "the row's identifier is null", *null, &[]));
        }
        if duplicates.total() > 0 {
            let message = "several rows have this identifier; none of them was taken";
            let count = duplicates.total();
            groups.push(group(Code::DuplicateIdentifier, message, count, duplicate_ids));
        }
        groups
    }
}
