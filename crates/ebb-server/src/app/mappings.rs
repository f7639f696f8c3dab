//! The configuration as the scheduler and the engine see it: always the one that holds now.

use std::sync::{Arc, PoisonError, RwLock};

use ebb_core::Failure;
use ebb_engine::{Job, Jobs, Mappings, Plan};

use super::Configuration;

/// The configuration that holds.
pub(super) struct Current(RwLock<Arc<Configuration>>);

impl Current {
    pub(super) fn new(configuration: Configuration) -> Self {
        Self(RwLock::new(Arc::new(configuration)))
    }

    pub(super) fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, configuration: Configuration) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configuration);
    }
}

impl Mappings for Current {
    fn plan(&self, mapping: &str) -> Result<Plan, Failure> {
        self.configuration().workspace.plan(mapping)
    }
}

impl Jobs for Current {
    fn job(&self, plan: Plan) -> Result<Job, Failure> {
        self.configuration().workspace.job(plan)
    }
}
