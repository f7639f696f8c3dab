//! A warehouse, a control database, a part store and a destination in memory, which fail on demand.

mod destination;
mod store;
mod warehouse;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ebb_core::{
    Failure, Limits, Subscription,
    config::{Demand, Guards, Mapping, Model},
    port::{Clock, SyncRecord, Warehouse},
};
use ebb_engine::{
    Approval, Cause, Delivery, Engine, Job, Jobs, PartSize, Plan, Ports, Retries, Tuning, Watch,
};
use jiff::Timestamp;

pub(crate) use destination::{BATCH, CONCURRENCY, Faults, Receiver, Tool};
pub(crate) use store::{MemoryParts, MemoryStore};
pub(crate) use warehouse::MemoryWarehouse;

/// Virtual time of day: follows tokio's paused clock.
pub(crate) struct WorldClock(tokio::time::Instant);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + self.0.elapsed()
    }
}

/// Everything that outlives a killed engine.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) warehouse: Arc<MemoryWarehouse>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) parts: Arc<MemoryParts>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) mapping: Arc<Mutex<Mapping>>,
    pub(crate) demands: Arc<Mutex<Vec<Demand>>>,
    pub(crate) limits: Arc<Mutex<Limits>>,
    pub(crate) clock: Arc<WorldClock>,
}

impl World {
    pub(crate) fn new(records: Subscription, faults: Faults, seed: u64) -> Self {
        let mapping = Mapping {
            model: "people".to_owned(),
            destination: "tool".to_owned(),
            action: "send".to_owned(),
            records,
            enabled: true,
            enable_batching: true,
            guards: Guards { max_deleted: 1.0 },
            ..Mapping::default()
        };
        Self {
            warehouse: Arc::new(MemoryWarehouse::new(seed)),
            store: Arc::default(),
            parts: Arc::new(MemoryParts::new(seed)),
            receiver: Arc::new(Receiver::new(faults, seed)),
            mapping: Arc::new(Mutex::new(mapping)),
            demands: Arc::default(),
            limits: Arc::default(),
            clock: Arc::new(WorldClock(tokio::time::Instant::now())),
        }
    }

    /// A new engine, as after a restart.
    pub(crate) fn engine(&self, seed: u64) -> Engine {
        let ports = Ports {
            store: Arc::<MemoryStore>::clone(&self.store),
            parts: Arc::<MemoryParts>::clone(&self.parts),
            clock: Arc::<WorldClock>::clone(&self.clock),
        };
        let tuning = Tuning {
            retries: Retries { tries: 4, ..Retries::default() },
            source: Retries { first: Duration::from_millis(20), ..Retries::of_sources() },
            part_size: PartSize { rows: 17, bytes: usize::MAX },
        };
        Engine::new(ports, self.limits.lock().unwrap().clone(), tuning, seed)
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            name: "people-to-tool".to_owned(),
            mapping: self.mapping.lock().unwrap().clone(),
            model: Model {
                source: "db".to_owned(),
                query: "select * from people".to_owned(),
                id: "id".to_owned(),
                ..Model::default()
            },
            columns: Vec::new(),
            generation: 0,
            cause: Cause::default(),
        }
    }

    pub(crate) fn job(&self) -> Job {
        Jobs::job(self, self.plan()).unwrap()
    }

    /// One sync by a new engine.
    pub(crate) async fn sync(
        &self,
        seed: u64,
        approval: Approval,
    ) -> Result<Vec<SyncRecord>, Failure> {
        self.engine(seed).sync(self, self.plan(), approval, &Watch::default()).await
    }

    /// One backfill by a new engine.
    pub(crate) async fn backfill(
        &self,
        seed: u64,
        approval: Approval,
    ) -> Result<Vec<SyncRecord>, Failure> {
        self.engine(seed).backfill(self, self.plan(), approval, &Watch::default()).await
    }
}

impl Jobs for World {
    fn job(&self, plan: Plan) -> Result<Job, Failure> {
        let delivery: Arc<dyn Delivery> = Arc::new(Tool::new(Arc::clone(&self.receiver)));
        let query = plan.model.query();
        let warehouse: Arc<dyn Warehouse> = Arc::<MemoryWarehouse>::clone(&self.warehouse);
        let demands = self.demands.lock().unwrap().clone();
        Ok(Job { plan, query, warehouse, delivery, demands })
    }
}
