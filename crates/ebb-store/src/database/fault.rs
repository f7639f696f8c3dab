//! What goes wrong inside the control database, and what people are told about it.

use std::{io, path::Path};

use ebb_core::{Code, Failure, SyncId, failure::BoxError};
use rusqlite::ErrorCode;

/// An error on its way to the port.
#[derive(Debug)]
pub(super) enum Fault {
    /// `SQLite` refused.
    Sql(rusqlite::Error),
    /// What is stored cannot be read: damage.
    Content(BoxError),
    /// Already in people's words.
    Told(Failure),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
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
            Self::Sql(rusqlite::Error::SqliteFailure(error, message)) => {
                Self::Sql(rusqlite::Error::SqliteFailure(*error, message.clone()))
            }
            Self::Sql(error) => Self::Content(error.to_string().into()),
            Self::Content(error) => Self::Content(error.to_string().into()),
            Self::Told(failure) => Self::Told(failure.clone()),
        }
    }

    /// The failure at the port; `file` is the control database.
    pub(super) fn told(self, file: &Path) -> Failure {
        let file = file.display();
        let unavailable =
            |what: &str| Failure::new(Code::StateUnavailable, format!("`{file}` {what}"));
        let error = match self {
            Self::Told(failure) => return failure,
            Self::Content(error) => return damaged(unavailable("is damaged")).caused_by(error),
            Self::Sql(error) => error,
        };
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
}

fn damaged(failure: Failure) -> Failure {
    failure.help(
        "Put back a copy of the file, or move it away: the tracked state is in the warehouse, \
         only history and unfinished syncs are lost",
    )
}

/// `R416` for an identity.
pub(super) fn no_such_sync(id: SyncId) -> Failure {
    Failure::new(Code::SyncNotFound, format!("there is no sync `{id}`"))
}
