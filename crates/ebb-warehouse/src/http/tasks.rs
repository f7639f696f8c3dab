//! Requests that nobody waits for.

use std::sync::{Mutex, PoisonError};

use tokio::{runtime::Handle, task::JoinSet};

/// Tasks that end by themselves, and at the latest with their owner.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Runs a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, runtime);
    }
}
