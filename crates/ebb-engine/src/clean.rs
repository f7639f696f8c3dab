//! Tables that syncs left in a warehouse because they were killed, and which nobody needs any more.

use std::time::Duration;

use ebb_core::{Code, Failure, SyncId, port::Warehouse};

use crate::Engine;

/// Tables of one sync that still lie in a warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The sync.
    pub sync: SyncId,
    /// The tables' bare names.
    pub tables: Vec<String>,
    /// Whether anybody needs them.
    pub need: Need,
}

/// Whether a sync's tables are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The sync is over, or so old that it must be.
    Over,
    /// It runs, or was interrupted and goes on with the next sync of this mapping.
    Open {
        /// The mapping.
        mapping: String,
    },
    /// The control database does not know it and it is not old: another Ebb may run it, or a plan.
    Unknown,
}

impl Engine {
    /// What syncs left in a warehouse. One that the control database does not know counts as over once
    /// it began longer ago than `age`.
    pub async fn leftovers(
        &self,
        warehouse: &dyn Warehouse,
        age: Duration,
    ) -> Result<Vec<Leftover>, Failure> {
        let mut leftovers = Vec::new();
        // A sync is known before its first table is made, so what is listed here is looked up in time.
        for (sync, tables) in warehouse.leftovers().await? {
            let need = self.need(sync, age).await?;
            leftovers.push(Leftover { sync, tables, need });
        }
        Ok(leftovers)
    }

    /// Drops the tables that nobody needs; gives how many syncs they were of.
    pub async fn clean(
        &self,
        warehouse: &dyn Warehouse,
        leftovers: &[Leftover],
    ) -> Result<usize, Failure> {
        let over = leftovers.iter().filter(|leftover| leftover.need == Need::Over);
        let mut cleaned = 0;
        for leftover in over {
            warehouse.clean(leftover.sync).await?;
            cleaned += 1;
        }
        Ok(cleaned)
    }

    async fn need(&self, sync: SyncId, age: Duration) -> Result<Need, Failure> {
        match self.ports.store.sync(sync).await {
            Ok(record) if record.status.is_final() => Ok(Need::Over),
            Ok(record) => Ok(Need::Open { mapping: record.mapping }),
            Err(failure) if failure.code == Code::SyncNotFound => {
                let now = u64::try_from(self.ports.clock.now().as_millisecond()).unwrap_or(0);
                let passed = Duration::from_millis(now.saturating_sub(sync.milliseconds()));
                Ok(if passed > age { Need::Over } else { Need::Unknown })
            }
            Err(failure) => Err(failure),
        }
    }
}
