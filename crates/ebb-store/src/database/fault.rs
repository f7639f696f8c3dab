//! What goes wrong inside the control database, and what people are told about it.

use std::{io, sync::Arc};

use ebb_core::{Code, Failure, SyncId, failure::BoxError};
use rusqlite::ErrorCode;

use super::{place::Place, postgres};

/// An error on its way to the port.
#[derive(Debug)]
pub(super) enum Fault {
    /// `SQLite` refused.
    Sqlite(rusqlite::Error),
    /// PostgreSQL refused, or did not answer.
    Postgres(Arc<tokio_postgres::Error>),
    /// What is stored cannot be read: damage.
    Content(BoxError),
    /// Already in people's words.
    Told(Failure),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(Arc::new(error))
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Content(error.into())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Content(error.into())
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}

impl Fault {
    /// The same for one more who asked.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, message)) => {
                Self::Sqlite(rusqlite::Error::SqliteFailure(*error, message.clone()))
            }
            Self::Sqlite(error) => Self::Content(error.to_string().into()),
            Self::Postgres(error) => Self::Postgres(Arc::clone(error)),
            Self::Content(error) => Self::Content(error.to_string().into()),
            Self::Told(failure) => Self::Told(failure.clone()),
        }
    }

    /// The failure at the port.
    pub(super) fn told(self, place: &Place) -> Failure {
        match (self, place) {
            (Self::Told(failure), _) => failure,
            (Self::Content(error), _) => damaged(unavailable(place, "is damaged")).caused_by(error),
            (Self::Sqlite(error), _) => of_file(place, error),
            (Self::Postgres(error), Place::Server(server)) => {
                postgres::told(server.url(), &error).caused_by(error)
            }
            (Self::Postgres(error), Place::File(_)) => {
                unavailable(place, "could not do what was asked").caused_by(error)
            }
        }
    }
}

fn unavailable(place: &Place, what: &str) -> Failure {
    Failure::new(Code::StateUnavailable, format!("`{place}` {what}"))
}

fn of_file(place: &Place, error: rusqlite::Error) -> Failure {
    let unavailable = |what: &str| unavailable(place, what);
    let failure = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damaged(unavailable("is damaged"))
        }
        Some(ErrorCode::DiskFull) => unavailable("has no room left on its disk"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            unavailable("may not be written")
        }
        Some(ErrorCode::CannotOpen) => unavailable("cannot be opened"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            unavailable("is kept busy by another process")
        }
        Some(ErrorCode::SystemIoFailure) => unavailable("cannot be read or written"),
        _ => unavailable("could not do what was asked"),
    };
    failure.caused_by(error)
}

fn damaged(failure: Failure) -> Failure {
    failure.help(
        "Put back a copy of it, or move it away: the tracked state is in the warehouse, \
         only history and unfinished syncs are lost",
    )
}

/// `R416` for an identity.
pub(super) fn no_such_sync(id: SyncId) -> Failure {
    Failure::new(Code::SyncNotFound, format!("there is no sync `{id}`"))
}
