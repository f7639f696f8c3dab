//! The life of a sync: diff in the warehouse, stage, load, commit.
//!
//! The engine decides and orders; what it knows of warehouses, destinations and the control
//! database are the ports of `ebb_core`. It can be dropped at any await point and started again:
//! what [`ebb_core::port::Store`] and the warehouse hold is enough to finish (I2).

mod again;
mod allowance;
mod anew;
mod backfill;
mod changes;
mod clean;
mod commit;
mod dry_run;
mod effect;
mod engine;
mod extract;
mod guard;
mod job;
mod journey;
mod load;
mod progress;
mod replay;
mod retry;
mod scheduler;
mod stage;
mod trace;
mod trial;
mod undelivered;

pub use backfill::sends_again;
pub use clean::{Leftover, Need};
pub use dry_run::{DryRun, ShownBatch};
pub use effect::Effect;
pub use engine::{Approval, Engine, Ports, Tuning};
pub use job::{Delivery, Job, Jobs, Plan};
pub use journey::{Journey, JourneyStep};
pub use progress::{Progress, Snapshot, Watch};
pub use retry::Retries;
pub use scheduler::{Cause, Entry, Mappings, Outlook, Scheduler, Start, Timetable, WhyNot, Work};
pub use stage::PartSize;
pub use trace::TRACES;
pub use trial::Trial;
pub use undelivered::{Undelivered, Undeliveries};
