//! What tests of several crates need: a clock that they move, seeds that are told on failure, a
//! receiver that answers by a script and remembers what it got, and a mail server. Never part of the product.

mod clock;
mod fault;
mod inbox;
mod mail;
mod receiver;
mod seed;
mod transport;

pub use clock::FakeClock;
pub use fault::{Fault, Faults};
pub use inbox::{Delivery, Inbox, PathCounts, ReceivedRequest, Script};
pub use mail::{MailServer, ReceivedLetter};
pub use receiver::ScriptedReceiver;
pub use seed::{Seed, seeds, todays_seed};
pub use transport::ScriptedTransport;
