//! What a sync works with, as it was when it began.

use std::{collections::BTreeSet, sync::Arc};

use ebb_core::{
    Column, Failure, Redactor, SyncId,
    config::{Demand, Mapping, Model},
    limits::Limits,
    port::{Action, DiffJob, ModelQuery, SyncRecord, Tracked, Transport, Warehouse},
};
use serde::{Deserialize, Serialize};

use crate::Cause;

/// Mapping and model as they were when the sync began. Kept with the sync, so that an edit counts
/// from the next one; holds no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The mapping's name.
    pub name: String,
    /// The mapping.
    pub mapping: Mapping,
    /// The model.
    pub model: Model,
    /// The model's columns, once the warehouse told them.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// The generation of its checksums, once the tracked state told it: a sync that was interrupted goes
    /// on with the one that it began with.
    #[serde(default)]
    pub generation: u32,
    /// Why the sync began.
    #[serde(default)]
    pub cause: Cause,
}

impl Plan {
    /// The plan that a sync was begun with.
    pub fn of(sync: &SyncRecord) -> Result<Self, Failure> {
        serde_json::from_value(sync.plan.clone()).map_err(|error| {
            let message = format!("the plan of sync `{}` cannot be read", sync.id);
            Failure::new(ebb_core::Code::StateUnavailable, message).caused_by(error)
        })
    }
}

/// A destination as a job needs it.
pub trait Delivery: Send + Sync {
    /// Compiles the plan's action and fields against the model's columns.
    fn compile(&self, plan: &Plan) -> Result<Arc<dyn Action>, Failure>;

    /// The columns that the plan's fields read and its model lacks: those that the mapping names, and of
    /// those that only defaults name the ones that the model `had`.
    fn lacking(&self, plan: &Plan, had: &dyn Fn(&str) -> bool)
    -> Result<BTreeSet<String>, Failure>;

    /// Sends requests to the destination.
    fn transport(&self) -> Arc<dyn Transport>;

    /// Takes the destination's secrets out of text.
    fn redactor(&self) -> &Redactor;
}

/// One mapping with everything that a sync of it needs.
#[derive(Clone)]
pub struct Job {
    /// What was configured, as it is written: secrets are references. Kept with the sync.
    pub plan: Plan,
    /// The model's query with what it refers to. Never kept.
    pub query: ModelQuery,
    /// The model's source.
    pub warehouse: Arc<dyn Warehouse>,
    /// The mapping's destination.
    pub delivery: Arc<dyn Delivery>,
    /// What records must consent to. Today's, as credentials are: a demand that was added since holds for
    /// what is resumed or replayed.
    pub demands: Vec<Demand>,
}

impl Job {
    /// What the warehouse is to diff.
    pub fn diff_job(&self, sync: SyncId, limits: &Limits) -> DiffJob {
        let Plan { name, mapping, model, columns, generation, cause: _ } = &self.plan;
        DiffJob {
            sync,
            mapping: name.clone(),
            source: model.source.clone(),
            model_name: mapping.model.clone(),
            model: self.query.clone(),
            columns: columns.clone(),
            generation: *generation,
            keep_deleted_values: mapping.keep_deleted_values,
            limit: limits.records,
            trust_deletes: false,
        }
    }
}

impl Job {
    /// The columns that the mapping reads and its model lacks, by the plan's columns and by those of what was
    /// sent last.
    pub fn lacking(&self, tracked: Option<&Tracked>) -> Result<BTreeSet<String>, Failure> {
        let had = |column: &str| {
            let columns = tracked.into_iter().flat_map(|tracked| &tracked.recipe.columns);
            columns
                .into_iter()
                .any(|told| told.strip_prefix(column).is_some_and(|kind| kind.starts_with(' ')))
        };
        self.delivery.lacking(&self.plan, &had)
    }
}

/// Makes jobs of plans: connects names with today's credentials.
pub trait Jobs: Send + Sync {
    /// The job of a plan; fails if its source or destination is no longer configured.
    fn job(&self, plan: Plan) -> Result<Job, Failure>;
}
