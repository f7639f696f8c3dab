//! The words of Ebb: values, records, changes, failures, limits, configuration, and the ports by
//! which the engine knows warehouses, destinations and the control database.
//!
//! Nothing here has a clock, a socket or a file. See `ARCHITECTURE.md` for how the crates meet.

pub mod change;
pub mod column;
pub mod config;
pub mod failure;
pub mod id;
pub mod limits;
pub mod port;
pub mod record;
pub mod role;
pub mod schedule;
pub mod secret;
pub mod suggest;
pub mod usage;
pub mod value;

pub use change::{Counts, Operation, Subscription, Tally};
pub use column::{Column, ColumnKind};
pub use failure::{Code, Failure, Remedy};
pub use id::{PartNumber, SyncId};
pub use limits::Limits;
pub use record::{Record, RecordSet};
pub use role::Role;
pub use schedule::Schedule;
pub use secret::{Redactor, Secret};
pub use value::{Number, Object, Value};
