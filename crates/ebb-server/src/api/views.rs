//! Failures and syncs as programs see them; the words are those of the command line's `--json`.

use ebb_core::{
    Counts, Failure,
    port::{Cancellation, FailureGroup, Phase, Sample, SyncKind, SyncRecord, Verdict},
};
use ebb_engine::{Cause, Plan};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::shapes;

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailureView {
    /// The stable code; `/help/CODE` explains it.
    #[schema(example = "D205")]
    code: &'static str,
    /// The name under which the field knows it, where it has one.
    #[schema(required, nullable)]
    reason: Option<&'static str>,
    /// What happened, in one sentence.
    message: String,
    /// What to do next.
    help: String,
}

impl From<&Failure> for FailureView {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.as_str(),
            reason: failure.code.reason(),
            message: failure.message().to_owned(),
            help: failure.advice().to_owned(),
        }
    }
}

/// Records of a sync that failed alike.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailureGroupView {
    failure: FailureView,
    /// Whether its records are tried again.
    #[schema(value_type = shapes::Verdict)]
    verdict: Verdict,
    /// How many they are.
    count: u64,
    /// The first few.
    #[schema(value_type = Vec<shapes::Sample>)]
    samples: Vec<Sample>,
}

impl From<FailureGroup> for FailureGroupView {
    fn from(group: FailureGroup) -> Self {
        let FailureGroup { failure, verdict, count, samples } = group;
        Self { failure: FailureView::from(&failure), verdict, count, samples }
    }
}

/// A sync.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SyncView {
    id: String,
    mapping: String,
    #[schema(value_type = shapes::SyncKind)]
    kind: SyncKind,
    #[schema(value_type = shapes::Cause)]
    cause: Cause,
    #[schema(value_type = shapes::SyncStatus)]
    status: &'static str,
    started_at: Timestamp,
    #[schema(required, nullable)]
    finished_at: Option<Timestamp>,
    #[schema(value_type = Vec<shapes::Phase>)]
    phases: Vec<Phase>,
    #[schema(value_type = shapes::Counts)]
    counts: Counts,
    /// What ended it early, if anything did.
    #[schema(required, nullable)]
    failure: Option<FailureView>,
    /// Who asked it to end early, if anybody did.
    #[schema(required, nullable, value_type = Option<shapes::Cancellation>)]
    cancellation: Option<Cancellation>,
    /// Why records failed; lists of syncs leave it empty.
    failures: Vec<FailureGroupView>,
    /// What people should know, each with how often.
    #[schema(value_type = Vec<Vec<Object>>)]
    warnings: Vec<(String, u64)>,
}

impl SyncView {
    pub(super) fn new(sync: &SyncRecord, groups: Vec<FailureGroup>) -> Self {
        Self {
            id: sync.id.to_string(),
            mapping: sync.mapping.clone(),
            kind: sync.kind,
            cause: Plan::of(sync).map(|plan| plan.cause).unwrap_or_default(),
            status: sync.status.as_str(),
            started_at: sync.started_at,
            finished_at: sync.finished_at,
            phases: sync.phases.clone(),
            counts: sync.counts,
            failure: sync.failure.as_ref().map(FailureView::from),
            cancellation: sync.cancellation.clone(),
            failures: groups.into_iter().map(FailureGroupView::from).collect(),
            warnings: sync.warnings.clone(),
        }
    }
}
