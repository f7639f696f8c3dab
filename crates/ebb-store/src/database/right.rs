//! The right to sync a mapping (I6): a file lock beside a file, a session's lock on a server.

use ebb_core::{Code, Failure, port::Lock};

use super::{Database, fault::Fault, place::Place, postgres::SessionLock, sql::Transaction};
use crate::lock::FileLock;

/// A right, or the wish for it. Dropping it gives it back.
#[derive(Debug)]
pub(super) enum Right {
    /// Of a machine.
    File { _lock: FileLock },
    /// Of all who use the server.
    Session(SessionLock),
}

impl Lock for Right {}

impl Right {
    /// The wish for a mapping's right; `None` if it is known already that somebody has it.
    pub(super) fn wish(database: &Database, mapping: &str) -> Result<Option<Self>, Failure> {
        match &database.place {
            Place::File(_) => FileLock::take(&database.state, mapping)
                .map(|taken| taken.map(|lock| Self::File { _lock: lock }))
                .map_err(|error| {
                    let message = format!("the lock of the mapping `{mapping}` cannot be taken");
                    Failure::new(Code::StateUnavailable, message).caused_by(error)
                }),
            Place::Server(server) => {
                let nudge = database.writer.nudge();
                Ok(database.locks.reserve(server.key(mapping), nudge).map(Self::Session))
            }
        }
    }

    /// Takes the right; whether nobody else has it.
    pub(super) fn take(&self, transaction: &Transaction<'_>) -> Result<bool, Fault> {
        match self {
            Self::File { .. } => Ok(true),
            Self::Session(lock) => lock.take(transaction),
        }
    }
}
