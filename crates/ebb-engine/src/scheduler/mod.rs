//! Which mapping syncs when: schedules, queues, and what follows what.

mod cause;
mod outlook;
mod run;
#[cfg(test)]
mod tests;
mod timetable;

pub use cause::{Cause, Work};
pub use outlook::{Outlook, WhyNot};
pub use run::{Mappings, Scheduler};
pub use timetable::{Entry, Start, Timetable};
