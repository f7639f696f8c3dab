//! The ports: what the engine asks of the world, without knowing who answers.

mod clock;
mod destination;
mod parts;
mod store;
mod tables;
mod warehouse;

pub use clock::Clock;
pub use destination::{
    Action, Batch, Batching, Body, Exchange, Header, Item, ItemBuffer, Pace, Reply, Request,
    ShownRequest, Step, Transport,
};
pub use parts::{PartInfo, Parts};
pub use store::{
    Attempts, Cancellation, FailureGroup, JournalEntry, Lock, Outcomes, Phase, Sample, Status,
    Store, SyncKind, SyncRecord, Verdict, processed,
};
pub use tables::{Table, TableColumn, Tables};
pub use warehouse::{
    BatchStream, Commit, Diff, DiffJob, Discarded, Finding, ModelQuery, Preview, Recipe, Tracked,
    Wanted, Warehouse,
};
