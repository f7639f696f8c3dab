//! Rights that one has at a time, to sync a mapping (I6) or to serve: file locks beside a file, a session's
//! locks on a server.

use std::time::Duration;

use ebb_core::{Code, Failure, port::Lock};

use super::{Database, fault::Fault, lease, place::Place, postgres::SessionLock, sql::Transaction};
use crate::lock::FileLock;

/// How often a right is asked for that another session has: that of a process which was killed ends some
/// milliseconds after it. And the pause in between.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(100);

/// What a right is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// To sync a mapping.
    Sync(&'a str),
    /// To serve.
    Serve,
}

/// A right, or the wish for it. Dropping it gives it back.
#[derive(Debug)]
pub(super) enum Right {
    /// Of a machine.
    File { _lock: FileLock },
    /// Of all who use the server.
    Session(SessionLock),
}

impl Lock for Right {}

/// The right to serve a control database: what a server knows of its configuration, nobody else changes.
#[derive(Debug)]
pub struct ServerLock {
    _right: Right,
}

impl Right {
    /// Takes a right; whether nobody else has it.
    fn take(&self, transaction: &Transaction<'_>) -> Result<bool, Fault> {
        match self {
            Self::File { .. } => Ok(true),
            Self::Session(lock) => lock.take(transaction),
        }
    }
}

impl Database {
    /// Takes the right to serve, until it is dropped or the process ends. `R415` if a server has it.
    pub async fn serve(&self) -> Result<ServerLock, Failure> {
        if let Some(right) = self.right(Purpose::Serve).await? {
            return Ok(ServerLock { _right: right });
        }
        let (over, other) = match &self.place {
            Place::File(_) => {
                (format!("the state folder `{}`", self.state.display()), "another state folder")
            }
            Place::Server(_) => (format!("the control database `{}`", self.place), "another one"),
        };
        let message = format!("a server runs already over {over}");
        Err(Failure::new(Code::StateUnavailable, message)
            .help(format!("Stop that server first, or name {other}")))
    }

    /// Takes a right, with a new lease of the mapping that it is for; `None` if somebody else has it.
    pub(super) async fn right(&self, purpose: Purpose<'_>) -> Result<Option<Right>, Failure> {
        for _ in 0..TRIES {
            let Some(right) = self.wish(purpose)? else { break };
            let mapping = match purpose {
                Purpose::Sync(mapping) => Some(mapping.to_owned()),
                Purpose::Serve => None,
            };
            let taken = self.write(move |transaction, memory| {
                if !right.take(transaction)? {
                    return Ok(None);
                }
                if let Some(mapping) = mapping {
                    // Somebody else may have written outcomes since this process knew them.
                    memory.journals.retain(|_, journal| journal.mapping != mapping);
                    let token = lease::renew(transaction, &mapping)?;
                    memory.tokens.insert(mapping, token);
                }
                Ok(Some(right))
            });
            if let Some(right) = taken.await? {
                return Ok(Some(right));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    /// The wish for a right; `None` if it is known already that somebody has it.
    fn wish(&self, purpose: Purpose<'_>) -> Result<Option<Right>, Failure> {
        if let Place::Server(server) = &self.place {
            let key = match purpose {
                Purpose::Sync(mapping) => server.key(&format!("sync {mapping}")),
                Purpose::Serve => server.key("serve"),
            };
            return Ok(self.locks.reserve(key, self.writer.nudge()).map(Right::Session));
        }
        let (taken, of) = match purpose {
            Purpose::Sync(mapping) => {
                (FileLock::take(&self.state, mapping), format!("the mapping `{mapping}`"))
            }
            Purpose::Serve => (
                FileLock::take_of_server(&self.state),
                format!("the state folder `{}`", self.state.display()),
            ),
        };
        taken.map(|taken| taken.map(|lock| Right::File { _lock: lock })).map_err(|error| {
            Failure::new(Code::StateUnavailable, format!("the lock of {of} cannot be taken"))
                .caused_by(error)
        })
    }
}
