//! A mapping that was deleted and made again: nothing counts as sent before.
//!
//! The source may be away when a mapping is deleted, so the control database notes it, and whoever asks
//! next for what was sent has it forgotten first. What forgets can be done twice.

use ebb_core::{
    Code, Failure,
    port::{Status, Warehouse},
};

use crate::Engine;

impl Engine {
    /// Forgets what was sent before a mapping was made again, if it was. Whoever calls this has the right to
    /// sync the mapping.
    pub(crate) async fn begin_anew(
        &self,
        mapping: &str,
        warehouse: &dyn Warehouse,
    ) -> Result<(), Failure> {
        let Some(version) = self.ports.store.made_anew(mapping).await? else { return Ok(()) };
        tracing::info!(mapping, "forgetting what was sent before the mapping was made again");
        self.forget(mapping, warehouse).await?;
        self.ports.store.begun_anew(mapping, version).await
    }

    /// The same for who only looks, and does not have the right to sync.
    pub(crate) async fn look_anew(
        &self,
        mapping: &str,
        warehouse: &dyn Warehouse,
    ) -> Result<(), Failure> {
        if self.ports.store.made_anew(mapping).await?.is_none() {
            return Ok(());
        }
        let _lock = self.lock_once_ended(mapping).await?;
        self.give_up_deleted(mapping).await?;
        self.begin_anew(mapping, warehouse).await
    }

    /// Ends the interrupted sync of a mapping that was deleted, if one of its name was made again.
    pub(crate) async fn give_up_deleted(&self, mapping: &str) -> Result<(), Failure> {
        if self.ports.store.made_anew(mapping).await?.is_some() {
            self.give_up(mapping, "the mapping was deleted").await?;
        }
        Ok(())
    }

    /// Ends the interrupted sync of a mapping that has begun anew, if there is one.
    pub(crate) async fn give_up(&self, mapping: &str, why: &str) -> Result<(), Failure> {
        if let Some(mut record) = self.ports.store.unfinished(mapping).await? {
            // No interruption: nobody wants it made up for.
            record.failure = Some(Failure::new(Code::Canceled, why));
            self.end(&mut record, Status::Canceled).await?;
        }
        Ok(())
    }

    /// Forgets the tracked state, and how often records failed.
    pub(crate) async fn forget(
        &self,
        mapping: &str,
        warehouse: &dyn Warehouse,
    ) -> Result<(), Failure> {
        warehouse.reset(mapping).await?;
        self.ports.store.settle_attempts(mapping, self.new_id()).await
    }
}
