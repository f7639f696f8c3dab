//! Where parts are kept.

use arrow_array::RecordBatch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Failure, PartNumber, SyncId, Tally};

/// A part as the control database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// Its place in the sync.
    pub number: PartNumber,
    /// The lowest `seq` in it.
    pub first: u64,
    /// The highest `seq` in it.
    pub last: u64,
    /// Changes in it, by operation.
    pub changes: Tally,
    /// Bytes as stored.
    pub bytes: u64,
    /// Digest of the stored bytes, to recognise damage.
    pub digest: String,
}

/// Holds parts: Arrow IPC, LZ4. A part is there whole or not at all.
#[async_trait]
pub trait Parts: Send + Sync {
    /// Stores a part so that it survives a power loss. `R413` if there is no room.
    async fn put(
        &self,
        sync: SyncId,
        number: PartNumber,
        batches: Vec<RecordBatch>,
    ) -> Result<PartInfo, Failure>;

    /// Reads a part back. `R411` if it is gone or is not what was stored.
    async fn get(&self, sync: SyncId, part: &PartInfo) -> Result<Vec<RecordBatch>, Failure>;

    /// Deletes all parts of a sync; nothing happens if there are none.
    async fn delete(&self, sync: SyncId) -> Result<(), Failure>;
}
