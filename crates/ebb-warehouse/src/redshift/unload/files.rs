//! The files of one read: where they are, and that they do not stay.

use std::sync::Arc;

use ebb_core::Failure;
use tokio::runtime::Handle;

use super::{UnloadSettings, statement};
use crate::{
    aws::{Aws, Bucket},
    http::Tasks,
};

/// Files of all reads of a source.
pub(in super::super) struct Unload {
    pub(super) settings: UnloadSettings,
    pub(super) bucket: Bucket,
    /// Deletions of what nobody reads any more.
    tasks: Tasks,
}

/// The files of one read. Dropped before it is removed, it is removed in the background.
pub(super) struct Files {
    unload: Arc<Unload>,
    /// What their names begin with.
    pub(super) prefix: String,
    removed: bool,
    runtime: Handle,
}

impl Unload {
    pub(in super::super) fn new(aws: Arc<Aws>, settings: UnloadSettings) -> Self {
        let bucket = Bucket::new(aws, settings.bucket.clone());
        Self { settings, bucket, tasks: Tasks::default() }
    }

    /// Whether so many rows go by way of files.
    pub(in super::super) const fn takes(&self, rows: u64) -> bool {
        rows > self.settings.rows
    }

    /// Removes what a mapping's earlier syncs left behind, if their process was killed. Failing at that is
    /// no reason not to sync.
    pub(in super::super) async fn clear(&self, label: &str) {
        if let Err(failure) = self.remove(&self.place(label).0).await {
            tracing::warn!(%failure, "files of an earlier sync could not be deleted");
        }
    }

    /// Where the files of a read are to be.
    pub(super) fn files(self: &Arc<Self>, label: &str) -> Files {
        let prefix = self.place(label).1;
        Files { unload: Arc::clone(self), prefix, removed: false, runtime: Handle::current() }
    }

    /// The folder of a mapping, and in it that of a sync, from `ebb:<mapping>:<sync>`.
    fn place(&self, label: &str) -> (String, String) {
        let (mapping, sync) = label.rsplit_once(':').unwrap_or((label, "read"));
        let mapping = format!("{}{}/", self.settings.prefix, mapping.replace(':', "/"));
        let sync = format!("{mapping}{sync}/");
        (mapping, sync)
    }

    async fn remove(&self, prefix: &str) -> Result<(), Failure> {
        for key in self.bucket.list(prefix).await? {
            self.bucket.delete(&key).await?;
        }
        Ok(())
    }
}

impl Files {
    /// The statement that writes them.
    pub(super) fn statement(&self, sql: &str, columns: &[ebb_core::Column]) -> String {
        let UnloadSettings { bucket, role, .. } = &self.unload.settings;
        statement::unload(sql, columns, &format!("s3://{bucket}/{}", self.prefix), role)
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.unload.bucket
    }

    pub(super) fn unload(&self) -> Arc<Unload> {
        Arc::clone(&self.unload)
    }

    /// Deletes them. Failing at that is told and no more: all rows are here.
    pub(super) async fn remove(mut self) {
        self.removed = true;
        if let Err(failure) = self.unload.remove(&self.prefix).await {
            tracing::warn!(%failure, prefix = %self.prefix, "unloaded files could not be deleted");
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        self.removed = true;
        let files = Self {
            unload: Arc::clone(&self.unload),
            prefix: std::mem::take(&mut self.prefix),
            removed: true,
            runtime: self.runtime.clone(),
        };
        self.unload.tasks.spawn(files.remove(), &self.runtime);
    }
}
